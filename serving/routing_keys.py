"""The key that calls are routed by while a version is on trial, where a request has no field for it."""

import uuid
from contextvars import ContextVar

HEADER = "x-routing-key"
"""Of HTTP, and of gRPC's metadata."""

routing_key: ContextVar[str] = ContextVar("routing_key", default="")
"""Of the call that is answered now; empty where its caller gave none."""


def begin(given: str | None) -> None:
    """A call begins, whose caller gave this key, or none."""
    routing_key.set(given or "")


def one_way(given: str = "") -> str:
    """A key for what is asked together: `given`, else the call's, else one of its own. Never empty."""
    return given or routing_key.get() or uuid.uuid4().hex
