"""Decisions that are kept: which questions are equal, what is never kept, and in how much memory."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos import classification_pb2 as pb
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble, Member
from serving.pipeline.cache import Decision, DecisionCache, Question
from serving.pipeline.voting import agreement, vote
from tests.serving.fakes import fake_servable

MEAN, MAJORITY = pb.VOTE_MEAN_PROBABILITY, pb.VOTE_MAJORITY


def ensemble_of(*versions: tuple[str, int], weight: float = 1.0) -> Ensemble:
    members = tuple(Member(fake_servable(name, version), weight) for name, version in versions)
    return Ensemble("choir", members, MEAN)


PAIR = ensemble_of(("a", 1), ("b", 1))


def question(picture: bytes = b"picture", views: int = pb.VIEWS_SINGLE, **fields) -> Question:
    return Question(pb.ClassifyRequest(encoded=picture, **fields), PAIR, views, MEAN)


def of_samples(data_type: int = pb.Tensor.DATA_TYPE_UINT8, shape: tuple[int, ...] = (2, 4), content=bytes(8)):
    tensor = pb.Tensor(data_type=data_type, shape=shape, content=content)
    return Question(pb.ClassifyRequest(tensor=tensor), PAIR, pb.VIEWS_SINGLE, MEAN)


def boxes(*places: tuple[float, float, float, float]) -> list[pb.Box]:
    return [pb.Box(top=top, left=left, bottom=bottom, right=right) for top, left, bottom, right in places]


def decision(members: int = 2, views: int = 1, classes: int = 3) -> Decision:
    logits = np.random.default_rng(members).normal(size=(members, views, classes)).astype(np.float32)
    verdict = vote(logits, MEAN, [1.0] * members)
    return Decision(logits, verdict, agreement(logits, MEAN, [1.0] * members, verdict.ranking[0]))


def kept_bytes(metrics: Metrics) -> float:
    return metrics.registry.get_sample_value("tencrop_cache_bytes")


@pytest.mark.parametrize(
    "other",
    [
        question(b"another picture"),
        of_samples(),
        question(views=pb.VIEWS_TEN),
        replace(question(), rule=MAJORITY),
        replace(question(), ensemble=replace(PAIR, name="duo")),
        replace(question(), ensemble=ensemble_of(("a", 2), ("b", 1))),
        replace(question(), ensemble=ensemble_of(("a", 1), ("c", 1))),
        replace(question(), ensemble=ensemble_of(("a", 1), ("b", 1), weight=2.0)),
        replace(question(), ensemble=ensemble_of(("a", 1))),
        question(boxes=boxes((0, 0, 1, 1))),
    ],
    ids=["picture", "kind", "views", "vote", "name", "version", "member", "weight", "members", "boxes"],
)
def test_what_changes_the_decision_makes_another_question(other):
    assert other.digest != question().digest


@pytest.mark.parametrize(
    "other",
    [
        of_samples(content=bytes([0] * 7 + [1])),
        of_samples(shape=(4, 2)),
        of_samples(shape=(2, 4, 1)),
        of_samples(shape=(2, 4, 1, 1)),
        of_samples(data_type=pb.Tensor.DATA_TYPE_FLOAT32),
    ],
)
def test_the_same_samples_are_another_picture_in_another_shape_or_type(other):
    assert other.digest != of_samples().digest


def test_boxes_are_told_apart_by_every_side_and_by_their_order():
    first, second = (0.0, 0.0, 0.5, 1.0), (0.0, 0.5, 0.0, 1.0)
    listed = [boxes(first), boxes(second), boxes(first, second), boxes(second, first)]
    assert len({question(boxes=each).digest for each in listed}) == 4


def test_what_only_shapes_the_answer_makes_no_other_question():
    asked = question(top_k=2, min_confidence=0.5, with_view_scores=True, with_member_scores=True, priority=2)
    assert asked.digest == question().digest


def test_a_decision_is_found_by_an_equal_question_alone():
    cache, reached = DecisionCache(10_000, Metrics()), decision()
    cache.keep(question(), reached)
    assert cache.find(question()) is reached
    assert cache.find(question(b"another picture")) is None


@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        (question(), decision(members=1)),
        (question(views=pb.VIEWS_TEN), decision(views=5)),
        (question(views=pb.VIEWS_BOXES, boxes=boxes((0, 0, 1, 1))), decision(views=2)),
        (question(adaptive=True), decision()),
    ],
    ids=["a member is missing", "fewer views", "other boxes", "an order of its own"],
)
def test_a_decision_that_was_not_made_in_full_is_not_kept(asked, reached):
    cache = DecisionCache(10_000, Metrics())
    cache.keep(asked, reached)
    assert cache.find(asked) is None


@pytest.mark.parametrize(
    ("asked", "views"), [(pb.VIEWS_TEN, 10), (pb.VIEWS_DENSE, 2), (pb.VIEWS_GRID, 150), (pb.VIEWS_INCEPTION_144, 144)]
)
def test_a_decision_over_all_views_is_kept(asked, views):
    cache = DecisionCache(100_000, Metrics())
    cache.keep(question(views=asked), decision(views=views))
    assert cache.find(question(views=asked)) is not None


def test_the_decision_that_was_not_asked_for_the_longest_goes_first():
    cache = DecisionCache(2 * decision().nbytes, Metrics())
    for picture in (b"1", b"2"):
        cache.keep(question(picture), decision())
    cache.find(question(b"1"))
    cache.keep(question(b"3"), decision())
    assert [cache.find(question(picture)) is not None for picture in (b"1", b"2", b"3")] == [True, False, True]


def test_a_decision_larger_than_the_cache_is_not_kept_and_drives_nobody_out():
    small, large = decision(), decision(classes=1000)
    cache = DecisionCache(large.nbytes - 1, Metrics())
    cache.keep(question(b"small"), small)
    cache.keep(question(b"large"), large)
    assert cache.find(question(b"large")) is None
    assert cache.find(question(b"small")) is small


def test_a_cache_of_no_bytes_neither_keeps_nor_counts():
    metrics = Metrics()
    cache = DecisionCache(0, metrics)
    cache.keep(question(), decision())
    assert cache.find(question()) is None
    assert metrics.registry.get_sample_value("tencrop_cache_misses_total") == 0


@given(st.integers(1, 20_000), st.lists(st.tuples(st.integers(0, 9), st.integers(1, 800))))
def test_what_is_kept_never_takes_more_than_the_bound(max_bytes, asked):
    metrics = Metrics()
    cache, said = DecisionCache(max_bytes, metrics), {}
    for picture, classes in asked:
        reached = said[picture] = decision(classes=classes)
        cache.keep(question(bytes([picture])), reached)
        found = [cache.find(question(bytes([each]))) for each in said]
        assert sum(each.nbytes for each in found if each) == kept_bytes(metrics) <= max_bytes


def test_the_memory_that_is_counted_is_no_less_than_what_python_takes():
    metrics = Metrics()
    cache = DecisionCache(2**24, metrics)
    cache.find(question())
    tracemalloc.start()
    for number in range(2000):
        cache.keep(question(number.to_bytes(2, "big")), decision())
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.5 * kept_bytes(metrics) < taken <= kept_bytes(metrics)
