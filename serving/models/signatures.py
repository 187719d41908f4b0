"""What a SavedModel can be asked, tensor by tensor: its signatures. Pure.

tensorflow/core/protobuf/meta_graph.proto, SignatureDef, says what they are.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from serving.errors import InvalidRequest, NoSuchSignature

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
PREDICT = "tensorflow/serving/predict"

Tensors = Mapping[str, NDArray[Any]]
"""By their names in a signature. Strings are bytes in arrays of objects."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a signature."""

    tensor: str
    """Its name in the graph."""
    dtype: str
    """TensorFlow's name of it: DT_UINT8, DT_STRING."""
    shape: tuple[int | None, ...] | None
    """None for a size that is open, and instead of a shape of which nothing is known."""

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of that shape may be given here."""
        if self.shape is None:
            return True
        sizes = zip(self.shape, shape, strict=False)
        return len(shape) == len(self.shape) and all(size in (None, came) for size, came in sizes)


@dataclass(frozen=True)
class Signature:
    """One function of a SavedModel."""

    name: str
    method: str
    """PREDICT, CLASSIFY, REGRESS, or what its author wrote."""
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    def check_names(self, names: Collection[str]) -> None:
        """Raises InvalidRequest unless `names` are those of the inputs: all, and no others."""
        if set(names) != self.inputs.keys():
            raise InvalidRequest(
                f"Signature {self.name!r} takes the inputs {sorted(self.inputs)}; {sorted(names)} came. "
                f"Leave out {sorted(set(names) - self.inputs.keys())}, add {sorted(self.inputs.keys() - set(names))}."
            )

    def check_input(self, name: str, dtype: str, shape: tuple[int, ...]) -> None:
        """Raises InvalidRequest unless a tensor like this may be given for the input `name`."""
        spec = self.inputs[name]
        if dtype != spec.dtype or not spec.takes(shape):
            raise InvalidRequest(
                f"Input {name!r} of signature {self.name!r} is {spec.dtype} of shape {_open(spec.shape)}; "
                f"{dtype} of shape {list(shape)} came. GetModelMetadata tells what a signature takes."
            )

    def chosen_outputs(self, wanted: Collection[str]) -> list[str]:
        """The outputs `wanted`, or all where none are. Raises InvalidRequest where one is unknown or named twice."""
        unknown = set(wanted) - self.outputs.keys()
        if unknown or len(set(wanted)) < len(wanted):
            raise InvalidRequest(
                f"Signature {self.name!r} gives the outputs {sorted(self.outputs)}, each asked for once; "
                f"{list(wanted)} were. Ask for none to get all."
            )
        return list(wanted or self.outputs)


class Signatures(Protocol):
    """The signatures of one loaded version."""

    all: Mapping[str, Signature]

    def run(self, signature: Signature, inputs: Tensors, outputs: Collection[str]) -> dict[str, NDArray[Any]]:
        """The `outputs` of `signature` to `inputs`, which were checked. Blocks. Lets other threads run meanwhile.

        Raises InvalidRequest where the graph refuses the inputs, and EngineFailed where it fails.
        """

    def close(self) -> None:
        """Gives back what was loaded to run them. None may run."""


class NoSignatures:
    """Those of a version that cannot be asked tensor by tensor: none."""

    all: Mapping[str, Signature] = {}

    def run(self, signature: Signature, inputs: Tensors, outputs: Collection[str]) -> dict[str, NDArray[Any]]:
        """Nothing finds a signature to call it with."""
        raise KeyError(signature.name)

    def close(self) -> None:
        """Nothing was loaded."""


def find(signatures: Signatures, name: str) -> Signature:
    """The signature of that name. Raises NoSuchSignature."""
    if name not in signatures.all:
        raise NoSuchSignature(f"A signature is one of {sorted(signatures.all)}; {name!r} was asked for.")
    return signatures.all[name]


def _open(shape: tuple[int | None, ...] | None) -> str:
    return "any" if shape is None else f"[{', '.join('?' if size is None else str(size) for size in shape)}]"
