"""Pictures for the fake engines, which answer by brightness, and the answers they have to get."""

import numpy as np

from protos import classification_pb2 as pb
from tests.serving.fakes import LABELS

DARK, MIDDLING, BRIGHT = 10, 128, 250
"""Grey levels that are, in this order, of each of the fake models' classes."""


def asked(level: int, name: str = "shades", **fields) -> pb.ClassifyRequest:
    """A request about a plain grey picture of that level."""
    tensor = pb.Tensor(data_type=pb.Tensor.DATA_TYPE_UINT8, shape=[8, 8], content=bytes([level]) * 64)
    return pb.ClassifyRequest(model=pb.ModelSpec(name=name), tensor=tensor, **fields)


def label_of(level: int) -> str:
    """The label that wins for a picture of that level."""
    return LABELS[[DARK, MIDDLING, BRIGHT].index(level)]


def levels_in(batches: list[np.ndarray]) -> list[list[int]]:
    """The grey levels of the rows of each batch, padding left out."""
    return [[level for level in rows[:, 0, 0, 0].tolist() if level] for rows in batches]
