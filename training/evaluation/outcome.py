"""How one vote went over the pictures of a data set, in numbers. Pure arithmetic."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.pipeline.voting import Verdict

BINS = 15
"""Of confidence, of equal width: Guo, Pleiss, Sun and Weinberger 2017, table 1."""


class Errors(NamedTuple):
    """Fractions of pictures whose class was not the winner, and not among the best five."""

    top_1: float
    top_5: float | None
    """None where there are five classes or fewer."""


class ClassErrors(NamedTuple):
    """How the pictures of one class fared."""

    pictures: int
    error: float | None
    """The fraction of them that another class won; None where there are none."""
    taken_for: int | None
    """The class that won most of those; of equals, the lower id. None where every one was right."""
    taken: int
    """How many of them that class won."""


class Bin(NamedTuple):
    """The pictures whose winner had a probability in one interval."""

    pictures: int
    confidence: float
    """Their winners' mean probability; 0 where there are no pictures."""
    accuracy: float
    """The fraction of them whose winner was right; 0 where there are no pictures."""


@dataclass(frozen=True)
class Outcome:
    """What a vote said of each picture, and what was true."""

    class_ids: NDArray[np.int32]
    """int32 [pictures], the truth."""
    winners: NDArray[np.int32]
    """int32 [pictures], the class that came first."""
    places: NDArray[np.int32]
    """int32 [pictures], the place of the truth in the ranking: 0 where it won."""
    confidences: NDArray[np.float32]
    """float32 [pictures], the probability that the vote gave the winner, above 0 and up to 1."""
    classes: int

    @classmethod
    def blank(cls, class_ids: NDArray[np.int32], classes: int) -> "Outcome":
        """One to record a verdict a picture in."""
        winners, places = np.zeros((2, len(class_ids)), np.int32)
        return cls(class_ids, winners, places, np.zeros(len(class_ids), np.float32), classes)

    def record(self, index: int, verdict: Verdict) -> None:
        """Writes down what a vote said of picture `index`."""
        winner = verdict.ranking[0]
        self.winners[index] = winner
        self.places[index] = (verdict.ranking == self.class_ids[index]).argmax()
        self.confidences[index] = verdict.probabilities[winner]

    def errors(self) -> Errors:
        """The fractions of pictures that were got wrong."""
        top_5 = float((self.places >= 5).mean()) if self.classes > 5 else None
        return Errors(float((self.places >= 1).mean()), top_5)

    def confusion(self) -> NDArray[np.int64]:
        """How often each class (row) was taken for each (column): int64 [classes, classes]."""
        pairs = self.class_ids.astype(np.int64) * self.classes + self.winners
        return np.bincount(pairs, minlength=self.classes**2).reshape(self.classes, self.classes)

    def by_class(self) -> list[ClassErrors]:
        """How each class fared, in class order."""
        return [_fared(class_id, row) for class_id, row in enumerate(self.confusion())]

    def reliability(self) -> list[Bin]:
        """The pictures by their winner's probability: bin m of BINS holds those above (m - 1) / BINS and up
        to m / BINS (Guo et al. 2017, section 2).
        """
        numbers = np.clip(np.ceil(self.confidences.astype(np.float64) * BINS).astype(int) - 1, 0, BINS - 1)
        pictures = np.bincount(numbers, minlength=BINS)
        divisor = np.maximum(pictures, 1)
        confidence = np.bincount(numbers, weights=self.confidences, minlength=BINS) / divisor
        accuracy = np.bincount(numbers, weights=self.places == 0, minlength=BINS) / divisor
        return [Bin(*each) for each in zip(pictures.tolist(), confidence.tolist(), accuracy.tolist(), strict=True)]

    def calibration_error(self) -> float:
        """The gap between confidence and accuracy, averaged over pictures: the expected calibration error of
        Guo et al. 2017, section 2, from 0 to 1.
        """
        gaps = [each.pictures * abs(each.accuracy - each.confidence) for each in self.reliability()]
        return sum(gaps) / len(self.class_ids)


def _fared(class_id: int, taken: NDArray[np.int64]) -> ClassErrors:
    """Of class `class_id`, whose pictures were taken `taken` times for each class."""
    pictures, right = int(taken.sum()), int(taken[class_id])
    others = np.where(np.arange(len(taken)) == class_id, 0, taken)
    most = int(others.argmax())
    return ClassErrors(
        pictures,
        error=(pictures - right) / pictures if pictures else None,
        taken_for=most if others[most] else None,
        taken=int(others[most]),
    )
