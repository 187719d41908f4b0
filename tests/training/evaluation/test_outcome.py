import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.pipeline.voting import Verdict
from training.evaluation.outcome import BINS, Bin, Errors, Outcome


def outcome_of(pictures, classes):
    """From (truth, winner, confidence) a picture; a truth that did not win comes second."""
    truths, winners, confidences = (np.array(each) for each in zip(*pictures, strict=True))
    places = (truths != winners).astype(np.int32)
    return Outcome(truths, winners, places, confidences.astype(np.float32), classes)


@st.composite
def outcomes(draw):
    classes = draw(st.integers(2, 8))
    class_ids = st.integers(0, classes - 1)
    pictures = draw(st.lists(st.tuples(class_ids, class_ids, st.floats(1 / classes, 1)), min_size=1, max_size=60))
    return outcome_of(pictures, classes)


@given(outcomes())
def test_rows_of_the_confusion_matrix_add_up_to_the_pictures_of_each_class(outcome):
    confusion = outcome.confusion()
    assert confusion.shape == (outcome.classes, outcome.classes)
    assert confusion.sum(axis=1).tolist() == np.bincount(outcome.class_ids, minlength=outcome.classes).tolist()
    assert confusion.sum(axis=0).tolist() == np.bincount(outcome.winners, minlength=outcome.classes).tolist()
    assert np.trace(confusion) == (outcome.class_ids == outcome.winners).sum()


@given(outcomes())
def test_errors_of_the_classes_average_to_the_error_of_all(outcome):
    fared = [each for each in outcome.by_class() if each.pictures]
    wrong = sum(each.pictures * each.error for each in fared)
    assert wrong / sum(each.pictures for each in fared) == pytest.approx(outcome.errors().top_1)


@given(outcomes())
def test_bins_hold_every_picture_once_between_their_bounds(outcome):
    bins = outcome.reliability()
    assert sum(each.pictures for each in bins) == len(outcome.class_ids)
    for number, each in enumerate(bins):
        if each.pictures:
            assert number / BINS - 1e-6 <= each.confidence <= (number + 1) / BINS + 1e-6
            assert 0 <= each.accuracy <= 1


@given(outcomes())
def test_the_calibration_error_lies_between_the_gap_of_the_means_and_one(outcome):
    gap = abs(float(outcome.confidences.astype(np.float64).mean()) - (1 - outcome.errors().top_1))
    assert gap - 1e-6 <= outcome.calibration_error() <= 1


@given(st.lists(st.integers(2, 20), min_size=1, max_size=10))
def test_confidences_that_come_true_as_often_as_they_say_have_no_calibration_error(sizes):
    # Of n pictures with confidence k / n each, k are right.
    pictures = [(0, int(right >= n // 2), (n // 2) / n) for n in sizes for right in range(n)]
    # In a bin several of these may meet, and their means agree too.
    assert outcome_of(pictures, 2).calibration_error() == pytest.approx(0, abs=1e-6)


def test_the_calibration_error_is_the_mean_gap_weighted_by_pictures():
    # Two at 0.9, one right: gap 0.4. One at 0.5, right: gap 0.5. One at 0.3, wrong: gap 0.3.
    outcome = outcome_of([(0, 0, 0.9), (0, 1, 0.9), (1, 1, 0.5), (1, 0, 0.3)], 2)
    assert outcome.calibration_error() == pytest.approx((2 * 0.4 + 0.5 + 0.3) / 4)
    filled = {number: each for number, each in enumerate(outcome.reliability()) if each.pictures}
    assert filled == {
        4: Bin(1, pytest.approx(0.3), 0.0),
        7: Bin(1, pytest.approx(0.5), 1.0),
        13: Bin(2, pytest.approx(0.9), 0.5),
    }


def test_a_bin_has_its_upper_bound_and_not_its_lower():
    bins = outcome_of([(0, 0, 1.0), (0, 0, np.float32(0.6)), (0, 0, 1e-6)], 2).reliability()
    # 0.6 is 9 / 15; as a float32 it lies just above.
    assert [number for number, each in enumerate(bins) if each.pictures] == [0, 9, 14]
    assert outcome_of([(0, 0, 0.5)], 2).reliability()[7].pictures == 1
    below = np.nextafter(np.float32(0.6), np.float32(0))
    assert outcome_of([(0, 0, below)], 2).reliability()[8].pictures == 1


def test_a_class_is_told_by_its_pictures_its_error_and_what_it_was_taken_for():
    outcome = outcome_of([(0, 0, 1), (0, 2, 1), (0, 2, 1), (0, 1, 1), (1, 1, 1)], 4)
    assert outcome.by_class() == [(4, 0.75, 2, 2), (1, 0.0, None, 0), (0, None, None, 0), (0, None, None, 0)]


def test_of_classes_taken_equally_often_the_lower_is_named():
    assert outcome_of([(1, 2, 1), (1, 0, 1)], 3).by_class()[1].taken_for == 0


def test_a_verdict_is_written_down_where_its_picture_is():
    outcome = Outcome.blank(np.array([2, 0]), 3)
    outcome.record(0, Verdict(np.array([0.5, 0.3, 0.2], np.float32), np.array([0, 1, 2])))
    outcome.record(1, Verdict(np.array([0.5, 0.3, 0.2], np.float32), np.array([0, 1, 2])))
    assert outcome.winners.tolist() == [0, 0]
    assert outcome.places.tolist() == [2, 0]
    assert outcome.confidences.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("classes", "top_5"), [(5, None), (6, 0.5)])
def test_top_5_is_told_of_more_than_five_classes(classes, top_5):
    outcome = Outcome(np.array([1, 1]), np.array([0, 0]), np.array([4, 5]), np.ones(2, np.float32), classes)
    assert outcome.errors() == Errors(1.0, top_5)
