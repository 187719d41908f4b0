"""What came of a replay, and what is to be said against it."""

from array import array
from collections import Counter
from dataclasses import dataclass, field

from google.rpc import code_pb2

from protos.request_log_pb2 import RecordedCall
from serving.errors import InvalidRequest, NotServed, TencropError

_ABSTAINED = "(abstains)"

_AT_FAULT: dict[type[TencropError], int] = {InvalidRequest: code_pb2.INVALID_ARGUMENT, NotServed: code_pb2.NOT_FOUND}
"""Errors that are their caller's, and so are right to come again."""


@dataclass
class Outcomes:
    """Of every call that was sent again."""

    seconds: array = field(default_factory=lambda: array("d"))
    """Of each answer, from when its call was due: who waits for a turn waits."""
    compared: int = 0
    """Answers to calls that were answered when they were recorded too."""
    changed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of those, the winners that were and are."""
    failed: Counter[str] = field(default_factory=Counter)
    """By the class of error."""
    refused_again: int = 0
    """Calls that were at fault when they were recorded, and are told so again: no failures."""
    without_picture: int = 0
    elapsed: float = 0.0

    def add(self, call: RecordedCall, winner: str, seconds: float) -> None:
        """`call` was answered again, after so long, by the label `winner`; an empty one where the answer abstains."""
        self.seconds.append(seconds)
        if call.HasField("response"):
            self.compared += 1
            was, now = call.response.label or _ABSTAINED, winner or _ABSTAINED
            if was != now:
                self.changed[was, now] += 1

    def fail(self, call: RecordedCall, error: TencropError) -> None:
        """`call` was not answered this time."""
        if call.error.code and call.error.code == _AT_FAULT.get(type(error)):
            self.refused_again += 1
        else:
            self.failed[type(error).__name__] += 1

    @property
    def sent(self) -> int:
        """Calls that had a picture to be asked about."""
        return len(self.seconds) + self.failed.total() + self.refused_again

    @property
    def changed_percent(self) -> float:
        """Of what was compared, the winners that changed, from 0 to 100."""
        return 100 * self.changed.total() / self.compared if self.compared else 0.0

    def percentile(self, share: float) -> float:
        """The least time, in seconds, within which that share of the answers came; NaN of none. Nearest rank."""
        ordered = sorted(self.seconds)
        return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else float("nan")

    def objections(self, max_changed: float) -> list[str]:
        """Why the replay did not pass, where at most so many percent of the winners may change; none where it did."""
        said = []
        if failures := self.failed.total():
            said.append(f"Every call is answered as it was before; {failures} of {self.sent} failed.")
        if not self.compared:
            said.append("Winners are compared with those before; no call was answered both then and now.")
        if self.changed_percent > max_changed:
            changed = f"{self.changed_percent:.2f} % of {self.compared} did"
            said.append(
                f"At most {max_changed:g} % of the winners change; {changed}. Allow for more with --max-changed."
            )
        return said
