"""All that members say of a data set, for whatever is asked of it later."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protos.classification_pb2 import Views, Vote
from protos.model_card_pb2 import Measurement
from serving.pipeline.plans import PLANS
from serving.pipeline.voting import vote
from training.evaluation.outcome import Errors, Outcome


@dataclass(frozen=True)
class Scores:
    """What members say of each picture of a data set, view by view."""

    data_set: str
    logits: NDArray[np.float32]
    """float32 [pictures, members, views, classes], after each member's temperature."""
    class_ids: NDArray[np.int32]
    """int32 [pictures], the truth."""

    def of(self, member: int) -> "Scores":
        """Those of one member, as if it were alone."""
        return Scores(self.data_set, self.logits[:, member : member + 1], self.class_ids)

    def outcome(self, views: Views) -> Outcome:
        """How the vote of all members by mean probability goes, with equal weights."""
        chosen = [PLANS[Views.VIEWS_TEN].index(view) for view in PLANS[views]]
        weights = [1.0] * self.logits.shape[1]
        outcome = Outcome.blank(self.class_ids, self.logits.shape[3])
        for index, logits in enumerate(self.logits[:, :, chosen]):
            outcome.record(index, vote(logits, Vote.VOTE_MEAN_PROBABILITY, weights))
        return outcome

    def errors(self, views: Views) -> Errors:
        """The errors of that vote."""
        return self.outcome(views).errors()


def measurements(data_set: str, outcomes: Mapping[Views, Outcome]) -> Iterator[Measurement]:
    """The errors of votes by mean probability, in the card's words."""
    for views, outcome in outcomes.items():
        errors = outcome.errors()
        yield Measurement(
            data_set=data_set,
            pictures=len(outcome.class_ids),
            views=views,
            vote=Vote.VOTE_MEAN_PROBABILITY,
            top_1_error=errors.top_1,
            top_5_error=errors.top_5,
        )
