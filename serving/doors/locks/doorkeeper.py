"""Who is let in, and how often."""

from collections.abc import Callable
from pathlib import Path

from serving.callers import Caller
from serving.doors.locks.bucket import Bucket
from serving.doors.locks.renewed import Renewed
from serving.doors.locks.tokens import SHORTEST_TOKEN, Holder, digest_of, holder_of, holders_in
from serving.errors import LockRejected, Overloaded, Unauthenticated


class Doorkeeper:
    """Knows callers by the tokens that they show."""

    def __init__(self, holders: Callable[[], list[Holder]], clock: Callable[[], float]) -> None:
        """`holders()` are those who may come in now."""
        self._holders = holders
        self._clock = clock
        self._buckets: dict[tuple[str, float], Bucket] = {}

    @classmethod
    def of_file(cls, path: Path, clock: Callable[[], float]) -> "Doorkeeper":
        """One who reads the tokens file at `path`, again where it changes. Raises LockRejected or OSError."""

        def read() -> list[Holder]:
            try:
                return holders_in(path.read_text())
            except ValueError as error:
                raise LockRejected(
                    f"A tokens file lists callers as {{name, token}}; {path} does not: {error}."
                ) from None

        renewed = Renewed([path], read, clock)
        return cls(lambda: renewed.current, clock)

    @classmethod
    def of_one(cls, path: Path, name: str, clock: Callable[[], float]) -> "Doorkeeper":
        """One who lets in `name` alone, by the token that the file at `path` consists of. Raises LockRejected or
        OSError.
        """

        def read() -> list[Holder]:
            token = path.read_text().strip()
            if len(token) < SHORTEST_TOKEN:
                raise LockRejected(
                    f"A token has at least {SHORTEST_TOKEN} characters; that in {path} has {len(token)}."
                )
            return [Holder(Caller(name), digest_of(token))]

        renewed = Renewed([path], read, clock)
        return cls(lambda: renewed.current, clock)

    def admit(self, authorization: str | None) -> Caller:
        """Who shows that header, `Bearer TOKEN`. Raises Unauthenticated where nobody is known by it, and Overloaded
        where it has come more often than it may.
        """
        holder = self._known(authorization)
        if wait := self._wait(holder):
            raise Overloaded(
                f"{holder.caller.name!r} may ask {holder.requests_per_second:g} times a second, and asked more often. "
                f"Come again in {wait:.3f} s.",
                retry_after=wait,
            )
        return holder.caller

    def seconds_until_more(self, caller: Caller) -> float:
        """Takes one request more of a caller who is in, and returns 0; or the seconds until there may be one. Raises
        Unauthenticated where its token, or what that allows, has been taken back meanwhile.
        """
        for holder in self._holders():
            if holder.caller == caller:
                return self._wait(holder)
        raise Unauthenticated(
            f"A stream lasts as long as its token; that of {caller.name!r} was changed or taken back. Call again."
        )

    def _known(self, authorization: str | None) -> Holder:
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthenticated(
                "This server answers those who show a token; none came. Send it as `authorization: Bearer TOKEN`."
            )
        holder = holder_of(token.strip(), self._holders())
        if holder is None:
            raise Unauthenticated(
                "A token has to be known to this server; the one that came is not. Ask for a new one."
            )
        return holder

    def _wait(self, holder: Holder) -> float:
        rate = holder.requests_per_second
        if rate is None:
            return 0.0
        key = (holder.caller.name, rate)
        if key not in self._buckets:
            names = {each.caller.name for each in self._holders()}
            self._buckets = {known: bucket for known, bucket in self._buckets.items() if known[0] in names}
            self._buckets[key] = Bucket(rate, self._clock())
        return self._buckets[key].take(self._clock())
