"""Canaries and shadows: who answers, what is counted, and when a canary is rolled back."""

import asyncio
import logging

import numpy as np
import pytest

from protos import classification_pb2 as pb
from serving import routing_keys
from serving.callers import ANYBODY, Caller, caller
from serving.doors.messages import to_list
from serving.errors import EngineFailed, Forbidden, InvalidRequest
from serving.metrics import Metrics
from serving.models.catalogue import Catalogue, ServedModel
from serving.models.declaration import CanaryDeclaration, TrialDeclaration
from serving.models.ensemble import Ensemble
from serving.models.repository import Repository
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from serving.pipeline.routed import RoutedPipeline
from serving.pipeline.router import Router
from serving.pipeline.shadow import IN_FLIGHT
from tests.serving.doors.fake_models import BRIGHT, DARK, MIDDLING, asked
from tests.serving.fakes import LABELS, FakeClock, FreeEngine, HeldEngine, brightness_logits, fake_servable
from tests.serving.loops import on_a_loop

NEVER = np.inf


def failing(rows):
    raise RuntimeError("out of memory")


def contrary(rows):
    """The other way round: what is dark is bright."""
    return brightness_logits(255 - rows)


class Listening:
    """A classifier, and what it was asked."""

    def __init__(self, classifier: Classifier, asked: list[pb.ClassifyRequest]) -> None:
        self._classifier = classifier
        self._asked = asked
        self.close = classifier.close

    def classify(self, request, deadline):
        self._asked.append(request)
        return self._classifier.classify(request, deadline)

    def classify_rows(self, request, rows, deadline):
        self._asked.append(request)
        return self._classifier.classify_rows(request, rows, deadline)


class Scene:
    """Versions 1, which is stable, and 2, which is on trial, and dice that a test throws."""

    def __init__(self, stable=None, candidate=None, candidate_labels=LABELS, **trials) -> None:
        self.dice, self.clock, self.metrics = 0.5, FakeClock(), Metrics()
        self.labels = {1: LABELS, 2: candidate_labels}
        self.engines = {1: stable or FreeEngine(), 2: candidate or FreeEngine()}
        self.servables = {
            version: fake_servable("shades", version, engine, clock=self.clock, labels=self.labels[version])
            for version, engine in self.engines.items()
        }
        self.repository = Repository({"shades": ServedModel("shades", self.servables, {"next": 2}, **trials)}, {})
        self.asked: list[pb.ClassifyRequest] = []
        self.router = Router(self.repository, self.metrics, self.clock, dice=lambda: self.dice)
        inner = Listening(Classifier(self.repository, Limits(), self.metrics, self.clock, 1), self.asked)
        self.classifier = RoutedPipeline(inner, self.router, self.metrics, self.clock)

    def declare(self, **trials) -> None:
        """The same versions under another declaration."""
        self.repository._catalogue.models = {"shades": ServedModel("shades", self.servables, {"next": 2}, **trials)}

    async def version(self, named: int | None = None, **fields) -> int:
        """Which version answers who names this one, or none."""
        request = asked(DARK, **fields)
        if named:
            request.model.version = named
        answer = await self.classifier.classify(request, NEVER)
        return answer.polled.voters[0].servable.version

    async def version_for_rows(self, *levels: int, **fields) -> int:
        """Which version answers about rows of these grey levels."""
        rows = np.stack([np.full((8, 8, 1), level, np.uint8) for level in levels or (DARK,)])
        request = pb.ClassifyRequest(model=pb.ModelSpec(name="shades"), **fields)
        answers = await self.classifier.classify_rows(request, rows, NEVER)
        return answers.ensemble.members[0].servable.version

    async def fails(self, error=EngineFailed, **fields) -> None:
        with pytest.raises(error):
            await self.version(**fields)

    async def copied(self) -> None:
        """Returns once no copy is in flight."""
        while self.classifier._shadow._copies:
            await asyncio.gather(*self.classifier._shadow._copies)

    def sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, {"model": "shades", **labels}) or 0.0

    def samples_of_versions(self) -> list:
        samples = (sample for family in self.metrics.registry.collect() for sample in family.samples)
        return [sample for sample in samples if "version" in sample.labels and "model" in sample.labels]

    def calls(self, version: int, arm: str, outcome: str = "answered") -> float:
        labels = {"version": str(version), "arm": arm, "outcome": outcome}
        return self.sample("tencrop_canary_duration_seconds_count", **labels)

    def copies(self, outcome: str) -> float:
        return self.sample("tencrop_canary_copies_total", version="2", outcome=outcome)

    @property
    def canary(self) -> pb.Canary:
        (model,) = to_list(self.repository).models
        return model.canary

    async def __aenter__(self) -> "Scene":
        return self

    async def __aexit__(self, *_) -> None:
        for engine in self.engines.values():
            if isinstance(engine, HeldEngine):
                engine.let_go()
        self.classifier.close()
        for servable in self.servables.values():
            await servable.close()


def canary(percent: float = 25, **bounds) -> CanaryDeclaration:
    return CanaryDeclaration(version=2, percent=percent, **bounds)


def shadow(percent: float = 100) -> TrialDeclaration:
    return TrialDeclaration(version=2, percent=percent)


@on_a_loop
async def test_a_canary_answers_its_share_and_the_stable_version_the_rest():
    async with Scene(canary=canary(percent=25)) as scene:
        versions = []
        for scene.dice in (0.0, 0.24, 0.25, 0.99):
            versions.append(await scene.version())
        assert versions == [2, 2, 1, 1]
        assert (scene.calls(2, "canary"), scene.calls(1, "stable")) == (2, 2)


@on_a_loop
async def test_calls_with_one_key_go_the_same_way_whatever_the_dice_say():
    async with Scene(canary=canary(percent=50)) as scene:
        ways = []
        for scene.dice in (0.0, 0.99):
            ways.append([await scene.version(routing_key=f"caller {number}") for number in range(20)])
        assert ways[0] == ways[1]
        assert set(ways[0]) == {1, 2}


@on_a_loop
async def test_a_label_names_a_canary_too():
    async with Scene(canary=CanaryDeclaration(label="next", percent=100)) as scene:
        assert await scene.version() == 2


@on_a_loop
async def test_who_names_a_version_gets_it_and_is_not_counted():
    async with Scene(canary=canary(percent=100)) as scene:
        assert await scene.version(named=1) == 1
        assert scene.calls(1, "stable") == 0


@on_a_loop
async def test_a_canary_that_fails_is_rolled_back_and_that_shows_everywhere(caplog):
    async with Scene(candidate=FreeEngine(failing), canary=canary(percent=100)) as scene:
        with caplog.at_level(logging.ERROR):
            for _ in range(3):
                await scene.fails()
        assert await scene.version() == 1
        assert scene.calls(2, "canary", "failed") == 3
        assert scene.sample("tencrop_canary_rollback", version="2") == 1
        assert "3 of 3 failed" in scene.canary.rolled_back
        assert "shades version 2 is rolled back" in caplog.text


@on_a_loop
async def test_a_canary_that_fails_as_the_stable_version_does_is_kept():
    async with Scene(FreeEngine(failing), FreeEngine(failing), canary=canary(percent=50)) as scene:
        for number in range(40):
            scene.dice = number % 2
            await scene.fails()
        assert (scene.canary.failed, scene.canary.stable_failed) == (20, 20)
        assert not scene.canary.rolled_back


@on_a_loop
async def test_what_a_caller_is_to_be_blamed_for_is_no_error_of_the_canary():
    async with Scene(canary=canary(percent=100)) as scene:
        for _ in range(10):
            await scene.fails(InvalidRequest, top_k=99)
        caller.set(Caller("a neighbour", models=frozenset()))
        await scene.fails(Forbidden)
        caller.set(ANYBODY)
        assert scene.canary.calls == 0


@on_a_loop
async def test_a_canary_that_refuses_what_the_stable_version_answers_has_failed_and_the_caller_is_answered(caplog):
    async with Scene(canary=canary(percent=100), candidate_labels=LABELS[:2]) as scene:
        for _ in range(3):
            assert await scene.version(top_k=3) == 1
        assert (scene.calls(2, "canary", "failed"), scene.calls(1, "stable")) == (3, 3)
        assert "3 of 3 failed" in scene.canary.rolled_back
        assert "Its last failure was InvalidRequest: top_k is from 1 to" in scene.canary.rolled_back
        assert "shades version 2 refused what version 1 answers: top_k" in caplog.text


@on_a_loop
async def test_of_a_call_that_the_canary_refuses_and_the_stable_version_fails_the_failure_is_told():
    async with Scene(FreeEngine(failing), canary=canary(percent=100), candidate_labels=LABELS[:2]) as scene:
        await scene.fails(top_k=3)
        assert (scene.calls(2, "canary", "failed"), scene.calls(1, "stable", "failed")) == (0, 1)


@on_a_loop
async def test_a_call_whose_caller_goes_is_not_counted_and_one_that_is_late_is():
    async with Scene(candidate=HeldEngine(), canary=canary(percent=100)) as scene:
        for late in (False, True):
            call = asyncio.create_task(scene.classifier.classify(asked(DARK), scene.clock() + 10))
            await asyncio.sleep(0)
            scene.clock.advance(11 if late else 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert scene.canary.failed == late


@on_a_loop
async def test_a_roll_back_lasts_until_the_declaration_changes():
    async with Scene(candidate=FreeEngine(failing), canary=canary(percent=100)) as scene:
        for _ in range(3):
            await scene.fails()
        scene.declare(canary=canary(percent=100))
        assert await scene.version() == 1
        scene.declare(canary=canary(percent=99))
        assert (scene.canary.calls, scene.canary.rolled_back) == (0, "")
        assert scene.sample("tencrop_canary_rollback", version="2") == 0
        await scene.fails()


@on_a_loop
async def test_a_shadow_is_asked_the_same_as_bulk_and_the_caller_gets_the_stable_answer():
    async with Scene(shadow=shadow()) as scene:
        assert await scene.version(views=pb.VIEWS_FIVE) == 1
        await scene.copied()
        assert [len(batch) for batch in scene.engines[2].batches] == [8]  # five views, padded
        assert scene.copies("agreed") == 1
        assert scene.calls(2, "shadow") == 1


@on_a_loop
async def test_a_copy_waits_behind_callers_and_keeps_all_that_the_vote_depends_on():
    async with Scene(shadow=shadow()) as scene:
        await scene.version(views=pb.VIEWS_TEN, min_views=pb.VIEWS_FIVE, vote=pb.VOTE_MAJORITY)
        await scene.copied()
        _, copy = scene.asked
        assert (copy.priority, copy.views, copy.vote) == (pb.PRIORITY_BULK, pb.VIEWS_TEN, pb.VOTE_MAJORITY)
        assert (copy.min_views, copy.model.version) == (pb.VIEWS_UNSPECIFIED, 2)


@on_a_loop
async def test_a_shadow_is_asked_its_share():
    async with Scene(shadow=shadow(percent=10)) as scene:
        for scene.dice in (0.05, 0.5, 0.9):
            await scene.version()
        await scene.copied()
        assert scene.copies("agreed") == 1


@on_a_loop
async def test_a_shadow_that_hangs_delays_nobody_and_copies_beyond_the_bound_are_dropped():
    async with Scene(candidate=HeldEngine(), shadow=shadow()) as scene:
        for _ in range(IN_FLIGHT + 3):
            assert await scene.version() == 1
        assert scene.copies("dropped") == 3


@on_a_loop
async def test_a_shadow_that_fails_is_counted_and_logged_and_the_caller_answered(caplog):
    async with Scene(candidate=FreeEngine(failing), shadow=shadow()) as scene:
        assert await scene.version() == 1
        await scene.copied()
        assert scene.copies("failed") == 1
        assert "version 2 failed as a shadow: EngineFailed" in caplog.text


@on_a_loop
async def test_a_canary_whose_shadow_disagrees_is_rolled_back():
    async with Scene(candidate=FreeEngine(contrary), canary=canary(percent=5), shadow=shadow()) as scene:
        for _ in range(20):
            await scene.version()
            await scene.copied()
        assert "disagrees on at most 0.1 of the pictures" in scene.canary.rolled_back
        assert scene.copies("disagreed") == 20


@on_a_loop
async def test_a_canary_whose_shadow_agrees_is_kept():
    async with Scene(canary=canary(percent=5), shadow=shadow()) as scene:
        for _ in range(20):
            await scene.version()
            await scene.copied()
        assert (scene.canary.pairs, scene.canary.disagreed, scene.canary.rolled_back) == (20, 0, "")


@on_a_loop
async def test_rows_go_to_a_canary_as_pictures_do_and_all_of_a_call_together():
    async with Scene(canary=canary(percent=50)) as scene:
        versions = []
        for scene.dice in (0.49, 0.5):
            versions.append(await scene.version_for_rows(DARK, BRIGHT))
        assert versions == [2, 1]
        assert (scene.canary.calls, scene.canary.stable_calls) == (1, 1)
        keyed = [await scene.version_for_rows(routing_key=f"caller {number}") for number in range(20)]
        assert keyed == [await scene.version(routing_key=f"caller {number}") for number in range(20)]


@on_a_loop
async def test_a_shadow_is_asked_about_rows_too_and_each_is_compared():
    async with Scene(candidate=FreeEngine(contrary), canary=canary(percent=0), shadow=shadow()) as scene:
        assert await scene.version_for_rows(DARK, MIDDLING, BRIGHT) == 1
        await scene.copied()
        assert (scene.copies("agreed"), scene.copies("disagreed")) == (1, 2)
        assert (scene.canary.pairs, scene.canary.disagreed) == (3, 2)
        assert scene.asked[-1].priority == pb.PRIORITY_BULK


@on_a_loop
async def test_the_key_that_came_with_a_call_holds_where_the_request_has_none():
    async with Scene(canary=canary(percent=50)) as scene:
        by_field = [await scene.version(routing_key=f"caller {number}") for number in range(20)]
        by_call = []
        for number in range(20):
            routing_keys.begin(f"caller {number}")
            by_call.append(await scene.version())
        assert by_call == by_field
        routing_keys.begin(None)


@on_a_loop
async def test_an_ensemble_asks_stable_versions_and_is_no_part_of_a_trial():
    async with Scene(canary=canary(percent=100), shadow=shadow()) as scene:
        stable = scene.repository.find(pb.ModelSpec(name="shades")).members
        ensembles = {"choir": Ensemble("choir", stable, pb.VOTE_MEAN_PROBABILITY)}
        scene.repository.move_to(Catalogue(scene.repository.models, ensembles))
        answer = await scene.classifier.classify(asked(DARK, "choir"), NEVER)
        assert [each.servable.version for each in answer.polled.voters] == [1]
        assert scene.calls(1, "stable") == 0
        assert len(scene.asked) == 1


@on_a_loop
async def test_nothing_is_counted_any_more_of_versions_that_are_gone():
    async with Scene(candidate=FreeEngine(contrary), canary=canary(percent=50), shadow=shadow()) as scene:
        for scene.dice in (0.0, 0.9):
            await scene.version()
        await scene.copied()
        assert {each.labels["version"] for each in scene.samples_of_versions()} == {"1", "2"}
        for version in (1, 2):
            scene.metrics.version_gone("shades", version)
        assert scene.samples_of_versions() == []


@on_a_loop
async def test_a_trial_that_ended_is_not_said_to_be_rolled_back():
    async with Scene(candidate=FreeEngine(failing), canary=canary(percent=100)) as scene:
        for _ in range(3):
            await scene.fails()
        scene.declare(shadow=shadow())
        assert not scene.canary.rolled_back
        labels = {"model": "shades", "version": "2"}
        assert scene.metrics.registry.get_sample_value("tencrop_canary_rollback", labels) is None


def test_a_trial_names_a_version_or_a_label_and_not_both():
    for named in ({}, {"version": 2, "label": "next"}):
        with pytest.raises(ValueError, match="a version or a label, one of both"):
            TrialDeclaration(percent=5, **named)
