"""Everything that can go wrong on the way from a request to an answer, one class a status.

A message says the rule, then what arrived, then the way out. Doors turn a class into
the status of their protocol; nothing else in the tree knows about statuses.
"""


class TencropError(Exception):
    """Root of the tree. Never raised itself."""


class InvalidRequest(TencropError):
    """The caller's request or picture is at fault; repeating it is of no use."""


class NotServed(TencropError):
    """No such model, version or label is being served."""


class NoSuchSignature(TencropError):
    """The model is served, and has no signature of that name."""


class Unsupported(TencropError):
    """Something that no model of this server is asked for, by whomever."""


class Unauthenticated(TencropError):
    """The server answers those who show a token, and the caller showed none that it knows."""


class Forbidden(TencropError):
    """The caller is known, and may not ask this model."""


class Overloaded(TencropError):
    """A queue is full, or too long for the caller's deadline, or the caller asks more often than it may. Repeating
    the request a little later may succeed.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """`retry_after`: in so many seconds, if nothing else comes; None where that is not known."""
        super().__init__(message)
        self.retry_after = retry_after


class DeadlinePassed(TencropError):
    """The caller's deadline came before the answer."""


class Unavailable(TencropError):
    """The server is stopping, or none is there. Another replica may answer."""


class ModelRejected(TencropError):
    """A model on disk does not match its card, or a repository makes no sense. Raised
    while loading, never while answering anybody but an administrator."""


class StoreFailed(TencropError):
    """A store of models does not answer, or holds none. What was mirrored before is served all the same, and
    nobody is told but an administrator who has it looked at."""


class LockRejected(TencropError):
    """A file of tokens or certificates makes no sense. Raised while starting, never while answering."""


class EngineFailed(TencropError):
    """A model raised, or gave scores that are not numbers."""


class ServerFailed(TencropError):
    """What a client raises where the server was at fault. Never raised in the server."""
