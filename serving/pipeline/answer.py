"""What a classifier says of one picture."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from serving.models.ensemble import Ensemble
from serving.pipeline.choices import Choices
from serving.pipeline.poll import Poll
from serving.pipeline.voting import Agreement, Verdict


class Seconds(NamedTuple):
    """Where the time of one answer went."""

    decode: float
    """From the request's arrival to the rows of its views."""
    queue: float
    """From there to the start of the last batch needed."""
    compute: float
    """From there to the last member's scores."""


@dataclass(frozen=True)
class Answer:
    """The outcome of a vote, and how it was held."""

    ensemble: Ensemble
    views: pb.Views
    """What was looked at: under pressure, less than was chosen."""
    choices: Choices
    polled: Poll
    verdict: Verdict
    agreement: Agreement
    seconds: Seconds
    """All 0 where the answer is cached."""
    cached: bool = False
    """Whether the vote was held before, over the same picture and question."""

    @property
    def label(self) -> str:
        """The winner's; empty where the answer abstains."""
        return "" if self.abstained else self.ensemble.labels[self.verdict.ranking[0]]

    @property
    def abstained(self) -> str:
        """Why the answer names no label; empty where it names the winner's."""
        confidence, wanted = self.verdict.probabilities[self.verdict.ranking[0]], self.choices.min_confidence
        if confidence >= wanted:
            return ""
        return f"The winner's probability is {confidence:.4g}; {wanted:.4g} was asked for."


class RowAnswers(NamedTuple):
    """The outcomes of votes over one view each."""

    ensemble: Ensemble
    logits: NDArray[np.float32]
    """float32 [rows, classes]: divided by temperatures, averaged over members by weight."""
    verdict: Verdict
    """Its fields are of [rows, classes]."""
    seconds: Seconds
