"""Every service of the gRPC ports, with what it may say to damaged calls."""

from typing import NamedTuple

from tests.damage import originals
from tests.damage.originals import Originals

_ANY = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"}
"""Of these the last is for methods that there are not."""


class Door(NamedTuple):
    """A service."""

    originals: Originals
    documented: frozenset[str]
    """The statuses that a caller may be told."""
    is_public: bool = True
    """Whether it is on the public port, and not on that of admin calls."""


def _door(calls: Originals, *others: str, is_public: bool = True) -> Door:
    return Door(calls, frozenset(_ANY | set(others)), is_public)


DOORS = {
    "Classification": _door(originals.classification),
    "ClassifyStream": _door(originals.classify_stream),
    "PredictionService": _door(originals.predictions, "FAILED_PRECONDITION"),
    "ModelService": _door(originals.model_service, "PERMISSION_DENIED"),
    "GRPCInferenceService": _door(originals.open_inference, "PERMISSION_DENIED", "DEADLINE_EXCEEDED"),
    "ModelStreamInfer": _door(originals.stream_inference),
    "Health": _door(originals.health),
    "ServerReflection": _door(originals.reflection),
    "Administration": _door(originals.administration, "FAILED_PRECONDITION", is_public=False),
}
