"""Pictures for the fake engines, which answer by brightness, and the answers they have to get."""

import numpy as np

from protos import classification_pb2 as pb
from serving.models.card import softmax
from tests.serving.fakes import LABELS, brightness_logits

DARK, MIDDLING, BRIGHT = 10, 128, 250
"""Grey levels that are, in this order, of each of the fake models' classes."""


def asked(level: int, name: str = "shades", **fields) -> pb.ClassifyRequest:
    """A request about a plain grey picture of that level."""
    tensor = pb.Tensor(data_type=pb.Tensor.DATA_TYPE_UINT8, shape=[8, 8], content=bytes([level]) * 64)
    return pb.ClassifyRequest(model=pb.ModelSpec(name=name), tensor=tensor, **fields)


def label_of(level: int) -> str:
    """The label that wins for a picture of that level."""
    return LABELS[[DARK, MIDDLING, BRIGHT].index(level)]


def probabilities_of(level: int) -> dict[str, float]:
    """The probability of every label for a picture of that level, which tells it from any other."""
    (probabilities,) = softmax(brightness_logits(np.full((1, 8, 8, 1), level, np.uint8)))
    return dict(zip(LABELS, probabilities.tolist(), strict=True))


def probabilities_in(answer: pb.ClassifyResponse) -> dict[str, float]:
    """What an answer says of every label."""
    return {each.label: each.probability for each in answer.predictions}


def levels_in(batches: list[np.ndarray]) -> list[list[int]]:
    """The grey levels of the rows of each batch, padding left out."""
    return [[level for level in rows[:, 0, 0, 0].tolist() if level] for rows in batches]
