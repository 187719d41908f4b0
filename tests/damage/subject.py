"""What calls are about before they are damaged: a model, and a picture of which its answer is known."""

import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos.model_card_pb2 import ModelCard


class Subject(NamedTuple):
    """A model that is served."""

    name: str
    picture: bytes
    """A PNG as large as the model's input."""
    row: NDArray[np.uint8]
    """The same: uint8 [height, width, channels]."""
    winner: int
    """The class that the model says it is."""

    @classmethod
    def of(cls, card: ModelCard) -> "Subject":
        """The model of `card`, and its first golden input."""
        golden = card.golden_inputs[0]
        shape = (card.input.height, card.input.width, card.input.channels)
        row = np.asarray(Image.open(io.BytesIO(golden.png))).reshape(shape)
        return cls(card.name, golden.png, row, int(np.argmax(golden.probabilities)))
