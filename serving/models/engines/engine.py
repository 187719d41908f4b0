"""What runs one loaded model, whichever runtime does it. Pure."""

from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Precision = Literal["float32", "bfloat16", "int8"]

SIGNATURE = "serving_default"
"""Of a SavedModel, what is served."""
DENSE = "dense"
"""The same network, run as fully convolutional; of those that were exported with it."""
OUTPUT = "logits"
"""Of the signature's outputs, what is voted with."""
PROBABILITIES = "probabilities"
"""Of the signature's outputs, where it has that: the softmax of its logits."""


class Engine(Protocol):
    """Runs one loaded model."""

    precision: Precision = "float32"
    """What it computes in. Rows and logits are the same in all."""
    batches_in_flight: int = 1
    """How many batches it works on at once, each called from a thread of its own."""

    def run(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [N, height, width, channels] -> float32 logits [N, classes]. Lets other threads run meanwhile."""

    def close(self) -> None:
        """Gives its memory back. Nothing may run meanwhile or afterwards."""
