"""Decisions that were reached before, for those who ask again.

Two equal questions at the same time are both computed: the first decision is kept once it is reached.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from protos import classification_pb2 as pb
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble
from serving.pipeline.plans import view_names
from serving.pipeline.voting import Agreement, Verdict

_AROUND_THE_ARRAYS = 1024
"""Bytes that Python's objects and the cache's tables take for one decision, beside its arrays' contents."""


class Decision(NamedTuple):
    """What a vote came to. It holds no network, so that keeping it keeps none in memory."""

    logits: NDArray[np.float32]
    """float32 [members, views, classes], after each member's temperature."""
    verdict: Verdict
    agreement: Agreement

    @property
    def nbytes(self) -> int:
        """Memory that keeping it takes, in bytes."""
        arrays = (self.logits, self.verdict.probabilities, self.verdict.ranking)
        return sum(array.nbytes for array in arrays) + _AROUND_THE_ARRAYS


@dataclass(frozen=True)
class Question:
    """What was asked, once the server's choices stand for those that the request left out."""

    request: pb.ClassifyRequest
    ensemble: Ensemble
    views: pb.Views
    rule: pb.Vote

    @cached_property
    def digest(self) -> bytes:
        """32 bytes, equal for questions that get the same decision: BLAKE2b (RFC 7693) of the picture and of all else
        that the decision depends on. What only shapes the answer (top_k, min_confidence, scores) is left out.
        """
        tensor = self.request.tensor
        asked = (
            blake2b(self.request.encoded or tensor.content).digest(),
            # A fourth number is enough to tell a shape that will be refused.
            (tensor.data_type, *tensor.shape[:4]),
            self.ensemble.name,
            [(each.servable.name, each.servable.version, each.weight) for each in self.ensemble.members],
            int(self.views),
            int(self.rule),
            [(box.top, box.left, box.bottom, box.right) for box in self.request.boxes],
        )
        return blake2b(repr(asked).encode(), digest_size=32).digest()

    def is_answered_in_full(self, decision: Decision) -> bool:
        """Whether every member said something of every view: none was left out under pressure, none failed, and the
        vote did not end early. An adaptive vote has them in an order of its own.
        """
        all_views = len(view_names(self.views, len(self.request.boxes)))
        return not self.request.adaptive and decision.logits.shape[:2] == (len(self.ensemble.members), all_views)


class DecisionCache:
    """Keeps decisions in at most `max_bytes` of memory; the one that was not asked for the longest goes first.

    With 0 bytes it keeps nothing, and neither hashes nor counts.
    """

    def __init__(self, max_bytes: int, metrics: Metrics) -> None:
        self._max_bytes = max_bytes
        self._metrics = metrics
        self._decisions: LRUCache[bytes, Decision] = LRUCache(max_bytes, getsizeof=lambda decision: decision.nbytes)

    def find(self, question: Question) -> Decision | None:
        """The decision that `question` got before, if it is still kept."""
        if not self._max_bytes:
            return None
        known = self._decisions.get(question.digest)
        (self._metrics.cache_misses if known is None else self._metrics.cache_hits).inc()
        return known

    def keep(self, question: Question, decision: Decision) -> None:
        """Keeps `decision` for the next who asks, where it was made in full and is no larger than the whole cache."""
        if decision.nbytes <= self._max_bytes and question.is_answered_in_full(decision):
            self._decisions[question.digest] = decision
            self._metrics.cache_bytes.set(self._decisions.currsize)
