"""The second engine of a model that was exported for it: its network run as fully convolutional over whole canvases.

Pure, as the card is: what loads and runs the model is handed in.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from protos.model_card_pb2 import ModelCard
from serving.errors import ModelRejected
from serving.models import card as cards

ROWS = 2
"""A canvas and its mirror image: what runs together, for other canvases have other shapes."""
MAX_ASPECT = 4
"""Of a canvas, longer side over shorter: what bounds the memory and the time of a batch."""


def open_dense(card: ModelCard, directory: Path, load: Callable[[Path], cards.Engine]) -> cards.Engine | None:
    """The engine of the "dense" signature in `directory`, warm; None where `card` promises none.

    Raises ModelRejected where it does not give the card's answers to the card's golden inputs, or does not run on a
    canvas.
    """
    if not card.dense:
        return None
    engine = load(directory)
    cards.check_golden_inputs(card, engine)
    side = _shorter_side(card)
    try:
        engine.run(np.zeros((ROWS, side, side, card.input.channels), np.uint8))
    except Exception as error:
        raise ModelRejected(
            f"A model whose card promises dense views runs on canvases of {side}x{side} pixels; this one fails: "
            f"{error}. Publish it again."
        ) from error
    return engine


def rows_that_may_wait(card: ModelCard, max_queue_rows: int) -> int:
    """Rows of as many pictures as hold no more samples than `max_queue_rows` crops of the input's size; of two pictures
    at least.
    """
    side = _shorter_side(card)
    return max(2 * ROWS, max_queue_rows * card.input.height * card.input.width // (MAX_ASPECT * side * side))


def _shorter_side(card: ModelCard) -> int:
    return card.geometry.shorter_side + 2 * card.geometry.margin
