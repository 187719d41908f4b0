"""What doors ask: a classifier, or one with more around it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from serving.pipeline.answer import Answer, RowAnswers


class Pipeline(Protocol):
    """From a request to its answer."""

    async def classify(self, request: pb.ClassifyRequest, deadline: float) -> Answer:
        """See Classifier.classify."""

    async def classify_rows(self, request: pb.ClassifyRequest, rows: NDArray[np.uint8], deadline: float) -> RowAnswers:
        """See Classifier.classify_rows."""

    def close(self) -> None:
        """Gives back what it works with. No call may come any more."""
