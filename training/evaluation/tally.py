"""Votes counted as answers come: a few numbers a picture are kept, however many classes there are."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protos.classification_pb2 import Views
from serving.models.declaration import VOTES
from serving.pipeline.plans import PLANS
from serving.pipeline.voting import vote
from training.evaluation.outcome import Outcome


class Row(NamedTuple):
    """Members that vote together."""

    name: str
    members: slice
    outcomes: Mapping[Views, Outcome]
    """By the views that each member votes with."""


def smallest_with_all(plans: Sequence[Views]) -> Views:
    """The choice of the fewest views that has all those of `plans`. Raises ValueError where there is none."""
    wanted = {view for views in plans for view in PLANS[views]}
    with_all = [each for each in PLANS if wanted <= set(PLANS[each])]
    if not with_all:
        raise ValueError(f"One choice of views has all that are counted together; none has those of {plans}.")
    return min(with_all, key=lambda each: len(PLANS[each]))


class Tally:
    """How votes go over the pictures of a data set: a row for each member alone and, of several, one for all
    of them together.
    """

    def __init__(
        self,
        data_set: str,
        labels: Sequence[str],
        class_ids: NDArray[np.int32],
        weights: Mapping[str, float],
        vote_name: str,
        plans: Sequence[Views],
    ) -> None:
        """`weights` has one for each member by its name; `plans` are the choices of views to count."""
        self.data_set = data_set
        self.labels = labels
        self.pictures = len(class_ids)
        self.weights = weights
        self.vote_name = vote_name
        self.plans = [views for views in PLANS if views in plans]
        self.asked = smallest_with_all(self.plans)
        """The smallest choice of views that has all those to count."""
        alone = [(name, slice(index, index + 1)) for index, name in enumerate(weights)]
        together = [(f"all {len(weights)}", slice(None))] if len(weights) > 1 else []
        self.rows = [
            Row(name, members, {views: Outcome.blank(class_ids, len(labels)) for views in self.plans})
            for name, members in alone + together
        ]
        self._positions = {views: [PLANS[self.asked].index(view) for view in PLANS[views]] for views in self.plans}

    def add(self, index: int, logits: NDArray[np.float32]) -> None:
        """Counts the votes on picture `index`: `logits` is float32 [members, views of `asked`, classes], after
        each member's temperature.
        """
        weights = list(self.weights.values())
        for row in self.rows:
            for views, outcome in row.outcomes.items():
                chosen = logits[row.members][:, self._positions[views]]
                outcome.record(index, vote(chosen, VOTES[self.vote_name], weights[row.members]))
