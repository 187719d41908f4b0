"""What a server of tiny models has to answer, worked out in plain numpy without any of its code."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from protos import classification_pb2 as pb
from tests.serving.tiny import LABELS, TinyModel


def views_of(picture: np.ndarray, model: TinyModel, views: int) -> np.ndarray:
    """Crops of `picture`, [16, width, 3] or [16, width], whose shorter side needs no resizing."""
    assert min(picture.shape[:2]) == model.shorter_side
    canvas = picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)
    canvas = canvas if model.channels == 3 else luma(canvas)
    margin, side = model.margin, model.side
    canvas = np.pad(canvas, [(margin, margin), (margin, margin), (0, 0)])
    bottom, right = canvas.shape[0] - side, canvas.shape[1] - side
    places = [(bottom // 2, right // 2), (0, 0), (0, right), (bottom, 0), (bottom, right)]
    crops = np.stack([canvas[top : top + side, left : left + side] for top, left in places])
    return {
        pb.VIEWS_SINGLE: crops[:1],
        pb.VIEWS_MIRROR: np.concatenate([crops[:1], crops[:1, :, ::-1]]),
        pb.VIEWS_FIVE: crops,
        pb.VIEWS_TEN: np.concatenate([crops, crops[:, :, ::-1]]),
    }[views]


def luma(picture: np.ndarray) -> np.ndarray:
    """ITU-R 601, rounded: [height, width, 1]."""
    return ((picture @ np.array([19595, 38470, 7471]) + 2**15) >> 16).astype(np.uint8)[..., None]


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Choir:
    """Tiny models that vote; one alone is a choir too."""

    members: Sequence[TinyModel]
    weights: Sequence[float] = (1.0,)

    def logits(self, picture: np.ndarray, views: int) -> np.ndarray:
        """[members, views, classes], each member's divided by its temperature."""
        return np.stack([each.logits(views_of(picture, each, views)) / each.temperature for each in self.members])

    def probabilities(self, picture: np.ndarray, views: int = pb.VIEWS_SINGLE, vote: int = 0) -> np.ndarray:
        return voted(self.logits(picture, views), vote or self.members[0].vote, self.weights)


def voted(logits: np.ndarray, vote: int, weights: Sequence[float]) -> np.ndarray:
    """Probabilities [classes] from logits [members, views, classes]."""
    if vote == pb.VOTE_MEAN_PROBABILITY:
        return np.average(softmax(logits).mean(axis=1), axis=0, weights=weights)
    if vote == pb.VOTE_MEAN_LOGIT:
        return softmax(np.average(logits.mean(axis=1), axis=0, weights=weights))
    ballots = np.eye(len(LABELS))[logits.argmax(axis=-1)]
    return np.average(ballots.mean(axis=1), axis=0, weights=weights)
