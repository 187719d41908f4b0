"""Asking members: votes that end early, and votes without members that fail."""

import asyncio

import numpy as np
import pytest

from protos import classification_pb2 as pb
from protos.model_card_pb2 import AdaptiveVote, VoteRound
from serving.errors import EngineFailed, InvalidRequest
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble, Member
from serving.models.repository import Repository
from serving.models.servable import Batching
from serving.pipeline.answer import Answer
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from tests.serving.doors.fake_models import asked
from tests.serving.fakes import FakeClock, FreeEngine, fake_servable
from tests.serving.loops import on_a_loop

MEAN = pb.VOTE_MEAN_PROBABILITY
SURE, TORN = np.log([0.9, 0.05, 0.05]), np.log([0.4, 0.35, 0.25])


def engine_of(*logits) -> FreeEngine:
    """One that says the same of every row, or fails."""

    def score(rows):
        if not logits:
            raise RuntimeError("broken")
        return np.tile(np.array(logits[0], np.float32), (len(rows), 1))

    return FreeEngine(score)


class Choir:
    """A classifier over members that say what a test has them say."""

    def __init__(self, *engines, quorum=0, weights=None, batching=None, **rounds) -> None:
        self.engines, self.metrics, self.clock = engines, Metrics(), FakeClock()
        options = {"batching": batching} if batching else {}
        self.servables = [
            fake_servable(f"m{number}", engine=engine, clock=self.clock, **options)
            for number, engine in enumerate(engines)
        ]
        members = tuple(map(Member, self.servables, weights or [1.0] * len(engines)))
        adaptive = (self._adaptive(len(members), **rounds),) if rounds else ()
        ensemble = Ensemble("choir", members, MEAN, adaptive, quorum=quorum, patience_seconds=0.01)
        repository = Repository({}, {"choir": ensemble})
        self.classifier = Classifier(repository, Limits(), self.metrics, self.clock, 1)

    @staticmethod
    def _adaptive(members, rounds, member_order=None) -> AdaptiveVote:
        return AdaptiveVote(
            views=pb.VIEWS_TEN,
            vote=MEAN,
            member_order=member_order or range(members),
            view_order=[0, 5, 1, 6, 2, 7, 3, 8, 4, 9],
            rounds=[VoteRound(members=count, views=views, margin=margin) for count, views, margin in rounds],
        )

    async def ask(self, **fields) -> Answer:
        request = asked(10, "choir", **{"views": pb.VIEWS_TEN, **fields})
        try:
            return await self.classifier.classify(request, np.inf)
        finally:
            self.classifier.close()
            for servable in self.servables:
                await servable.close()

    def rows(self) -> list[int]:
        return [sum(map(len, engine.batches)) for engine in self.engines]

    def sample(self, name, **labels) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@on_a_loop
async def test_a_vote_ends_with_the_round_whose_winner_leads_by_enough():
    choir = Choir(engine_of(SURE), engine_of(SURE), rounds=[(1, 1, 0.8)])
    answer = await choir.ask(adaptive=True)
    assert (len(answer.polled.voters), list(answer.polled.views), answer.polled.rows) == (1, [0], 1)
    assert choir.rows() == [1, 0]


@on_a_loop
async def test_a_vote_that_no_round_decides_is_held_in_full_and_no_row_twice():
    choir = Choir(engine_of(TORN), engine_of(TORN), rounds=[(1, 1, 0.8), (2, 1, 0.8), (2, 2, 0.8)])
    answer = await choir.ask(adaptive=True)
    assert answer.polled.rows == 20
    assert answer.polled.logits.shape == (2, 10, 3)
    assert answer.verdict.probabilities[0] == pytest.approx(0.4)


@on_a_loop
async def test_members_and_views_are_asked_in_the_order_of_the_calibration():
    choir = Choir(engine_of(TORN), engine_of(SURE), rounds=[(1, 2, 0.8)], member_order=[1, 0])
    answer = await choir.ask(adaptive=True)
    assert [voter.servable.name for voter in answer.polled.voters] == ["m1"]
    assert list(answer.polled.views) == [0, 5]


@on_a_loop
async def test_weights_count_in_every_round():
    choir = Choir(engine_of(TORN), engine_of(SURE), weights=[1.0, 99.0], rounds=[(2, 1, 0.8)])
    answer = await choir.ask(adaptive=True)
    assert answer.polled.rows == 2


@pytest.mark.parametrize(
    "fields", [{}, {"adaptive": True, "views": pb.VIEWS_FIVE}, {"adaptive": True, "vote": pb.VOTE_MAJORITY}]
)
@on_a_loop
async def test_a_vote_is_held_in_full_where_it_was_not_asked_for_or_not_calibrated(fields):
    choir = Choir(engine_of(SURE), rounds=[(1, 1, 0.8)])
    answer = await choir.ask(**fields)
    assert answer.polled.rows == len(answer.polled.views) >= 5


@on_a_loop
async def test_an_early_round_without_a_member_is_followed_by_the_full_vote_of_a_quorum():
    choir = Choir(engine_of(), engine_of(TORN), quorum=1, rounds=[(1, 1, 0.8)])
    answer = await choir.ask(adaptive=True)
    assert [voter.servable.name for voter in answer.polled.voters] == ["m1"]
    assert answer.polled.rows == 20


@on_a_loop
async def test_without_a_quorum_a_member_that_fails_fails_the_call():
    with pytest.raises(EngineFailed):
        await Choir(engine_of(SURE), engine_of()).ask()


@on_a_loop
async def test_a_quorum_answers_without_a_member_that_fails_and_says_so():
    choir = Choir(engine_of(SURE), engine_of(), engine_of(TORN), quorum=2)
    answer = await choir.ask()
    assert [voter.servable.name for voter in answer.polled.voters] == ["m0", "m2"]
    assert [(member.servable.name, reason) for member, reason in answer.polled.absent] == [("m1", "failed")]
    assert answer.verdict.probabilities[0] == pytest.approx(0.65)
    assert choir.sample("tencrop_absent_members_total", model="choir", member="m1", reason="failed") == 1


@on_a_loop
async def test_too_few_that_answer_are_no_quorum():
    with pytest.raises(EngineFailed):
        await Choir(engine_of(SURE), engine_of(), engine_of(), quorum=2).ask()


@on_a_loop
async def test_views_step_down_where_the_queue_is_pressed_and_the_caller_allows_it():
    choir = Choir(engine_of(SURE), batching=Batching.of(8, 20))
    waiting = [choir.servables[0].submit(np.zeros((8, 8, 8, 1), np.uint8), np.inf) for _ in range(2)]
    answer = await choir.ask(min_views=pb.VIEWS_SINGLE)
    await asyncio.gather(*waiting)
    assert answer.views == pb.VIEWS_SINGLE
    assert choir.sample("tencrop_stepped_down_total", model="choir", views="1") == 1


@on_a_loop
async def test_views_do_not_step_down_while_there_is_room():
    choir = Choir(engine_of(SURE))
    answer = await choir.ask(min_views=pb.VIEWS_SINGLE)
    assert answer.views == pb.VIEWS_TEN


@pytest.mark.parametrize("min_views", [99, pb.VIEWS_GRID, pb.VIEWS_DENSE])
@on_a_loop
async def test_min_views_are_crops_and_no_more_than_views(min_views):
    with pytest.raises(InvalidRequest, match="min_views are one of"):
        await Choir(engine_of(SURE)).ask(min_views=min_views)


@on_a_loop
async def test_a_priority_is_one_that_there_is():
    with pytest.raises(InvalidRequest, match="A priority is one of"):
        await Choir(engine_of(SURE)).ask(priority=7)
