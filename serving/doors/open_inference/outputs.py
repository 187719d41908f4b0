"""The tensors of an answer. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.doors.open_inference.question import WantedOutput
from serving.doors.open_inference.tensors import Tensor
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest

LOGITS, PROBABILITIES, LABEL = NAMES = ("logits", "probabilities", "label")


class Scores(NamedTuple):
    """What the pictures or rows of a request got."""

    logits: NDArray[np.float32]
    """float32 [N, classes]: divided by temperatures, averaged over views and, by weight, over members."""
    probabilities: NDArray[np.float32]
    """float32 [N, classes]."""
    labels: Sequence[str]
    """Of those that won; empty where an answer abstains."""


def check(wanted: Sequence[WantedOutput]) -> None:
    """Raises InvalidRequest where an output is none that there is, comes twice, or has no classes to choose from."""
    names = [output.name for output in wanted]
    if set(names) - set(NAMES) or len(set(names)) < len(names):
        raise InvalidRequest(f"Outputs are {', '.join(NAMES)}, each at most once; {told(names)} came.")
    if any(output.name == LABEL and output.classes for output in wanted):
        raise InvalidRequest("classification is of logits or probabilities; it came with label. Leave it out there.")


def tensors(wanted: Sequence[WantedOutput], scores: Scores, class_names: Sequence[str]) -> list[Tensor]:
    """Those of `wanted`, which were checked; all where it is empty. Of those with `classes`, BYTES [N, classes]
    "value:index:label" of the highest values, as Triton has them.
    """
    by_name = {
        LOGITS: scores.logits,
        PROBABILITIES: scores.probabilities,
        LABEL: np.array([label.encode() for label in scores.labels], object),
    }
    return [
        Tensor(output.name, _best(by_name[output.name], output.classes, class_names))
        if output.classes
        else Tensor(output.name, by_name[output.name])
        for output in wanted or map(WantedOutput, NAMES)
    ]


def _best(values: NDArray[np.float32], classes: int, class_names: Sequence[str]) -> NDArray:
    """Of equals, the lower index first; no more than there are."""
    order = np.argsort(-values, axis=1, kind="stable")[:, :classes]
    named = [
        f"{row[index]:.6f}:{index}:{class_names[index]}".encode()
        for row, best in zip(values, order.tolist(), strict=True)
        for index in best
    ]
    return np.array(named, object).reshape(order.shape)
