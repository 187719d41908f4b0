"""A name for each request, which its answer, its log lines and its trace have in common; and what it called."""

import re
import uuid
from contextvars import ContextVar

HEADER = "x-request-id"
"""Of HTTP, and of gRPC's metadata."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is answered now; empty outside of one."""

method: ContextVar[str] = ContextVar("method", default="")
"""What that request called, as its protocol names it: package.Service/Method, or POST /path."""

_SANE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")  # nothing that a log or a header would have to quote


def begin(given: str | None, called: str) -> str:
    """Names the request that begins here, which calls the method `called`, as its caller did unless that is left out
    or not fit for a log.
    """
    chosen = given if given and _SANE.fullmatch(given) else uuid.uuid4().hex
    request_id.set(chosen)
    method.set(called)
    return chosen


def as_metadata() -> tuple[tuple[str, str | bytes], ...]:
    """For gRPC's trailing metadata."""
    return ((HEADER, request_id.get()),) if request_id.get() else ()
