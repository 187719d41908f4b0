"""What a request of the Open Inference Protocol asks, whichever way it came, and the answer that it gets."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from protos.classification_pb2 import ModelSpec
from serving.aside import MANY_ELEMENTS
from serving.doors.open_inference.tensors import Tensor
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest
from serving.models.lifecycle import versions

MOST_NAMED = 64
"""Parameters, inputs and outputs; no request of any use has as many."""

Parameter = bool | int | float | str


class WantedOutput(NamedTuple):
    """One tensor of the answer."""

    name: str
    classes: int = 0
    """The best so many classes in its place; 0 for the tensor itself."""


class Question(NamedTuple):
    """A request."""

    model: ModelSpec
    id: str
    parameters: Mapping[str, Parameter]
    inputs: Sequence[Tensor]
    outputs: Sequence[WantedOutput]
    """None of them: all."""


class Reply(NamedTuple):
    """Its answer."""

    model_name: str
    model_version: str
    """Empty of an ensemble."""
    id: str
    outputs: Sequence[Tensor]

    @property
    def writes_slowly(self) -> bool:
        """Whether to write it takes so long that the event loop would feel it."""
        return sum(tensor.data.size for tensor in self.outputs) > MANY_ELEMENTS


def model_spec(name: str, version: str) -> ModelSpec:
    """A version is a number or a label; the newest where it is empty."""
    if not version:
        return ModelSpec(name=name)
    number = versions.version_of(version)
    return ModelSpec(name=name, version_label=version) if number is None else ModelSpec(name=name, version=number)


def check_counts(*counts: int) -> None:
    """Raises InvalidRequest where there are so many inputs, outputs or parameters as no model has."""
    if max(counts) > MOST_NAMED:
        raise InvalidRequest(
            f"A request has at most {MOST_NAMED} inputs, outputs and parameters each; {max(counts)} came. Send others "
            "by themselves."
        )


def check_inputs(names: Sequence[str]) -> None:
    """Raises InvalidRequest where one comes twice."""
    if len(set(names)) < len(names):
        raise InvalidRequest(f"A request has each input once; {told(names)} came. Leave out what comes again.")


def wanted_output(name: str, parameters: Mapping[str, Parameter]) -> WantedOutput:
    """Raises InvalidRequest where a parameter is none that outputs have, or not what it should be."""
    unknown = sorted(set(parameters) - {"classification", "binary_data"})
    if unknown:
        raise InvalidRequest(f"An output has the parameters classification and binary_data; {told(unknown)} came.")
    classes = parameters.get("classification", 0)
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 0:
        raise InvalidRequest(
            f"classification is how many classes; {told(classes)} came. Leave it out to get the tensor."
        )
    return WantedOutput(name, classes)
