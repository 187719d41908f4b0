"""TensorFlow's runtime, which a server has once something asks for it."""

from functools import cache

from serving.models.lifecycle.memory import spare_what_stays


@cache
def import_runtime() -> None:
    """Imports it, once, and keeps it out of collections to come: they stop every call for as long as they last."""
    from serving.models.engines import signature_session, tensorflow  # noqa: F401

    spare_what_stays()
