import numpy as np
import pytest
from PIL import Image

from training import figures
from training.evaluation.figure import draw
from training.evaluation.outcome import BINS, Outcome


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    saved = []
    save = figures.save

    def keep(figure, path):
        saved.append(figure)
        save(figure, path)

    monkeypatch.setattr(figures, "save", keep)
    return saved


def outcome(classes):
    """Three pictures of class 0, one of them taken for class 1, and one of class 1: the last two unsurely."""
    truths, winners = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    confidences = np.array([0.99, 0.99, 0.55, 0.55], np.float32)
    return Outcome(truths, winners, (truths != winners).astype(int), confidences, classes)


def names(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def test_the_matrix_shows_shares_of_the_true_class_and_counts(tmp_path, drawn):
    draw(["cat", "dog", "eel"], outcome(3), "a on pets", tmp_path / "new" / "pets.png")
    with Image.open(tmp_path / "new" / "pets.png") as image:
        assert image.format == "PNG"
    matrix = drawn[0].axes[0]
    np.testing.assert_allclose(matrix.images[0].get_array(), [[2 / 3, 1 / 3, 0], [0, 1, 0], [0, 0, 0]])
    assert {(*text.get_position(), text.get_text()) for text in matrix.texts} == {(0, 0, "2"), (1, 0, "1"), (1, 1, "1")}
    assert names(matrix.xaxis) == names(matrix.yaxis) == ["cat", "dog", "eel"]


@pytest.mark.parametrize(("classes", "named"), [(20, True), (21, True), (60, True), (61, False), (1000, False)])
def test_a_large_matrix_has_no_counts_and_a_very_large_one_no_names(tmp_path, drawn, classes, named):
    draw([f"class {number}" for number in range(classes)], outcome(classes), "a", tmp_path / "a.png")
    matrix = drawn[0].axes[0]
    assert len(matrix.texts) == (3 if classes <= 20 else 0)
    assert ("class 1" in names(matrix.yaxis)) == named


def test_the_diagram_shows_accuracy_and_its_gap_to_confidence(tmp_path, drawn):
    draw(["cat", "dog"], outcome(2), "a", tmp_path / "a.png")
    reliability = next(axes for axes in drawn[0].axes if axes.get_ylabel() == "accuracy")
    accuracy, over, under = ([bar.get_height() for bar in bars] for bars in reliability.containers)
    np.testing.assert_allclose(accuracy, [0.5, 1])
    np.testing.assert_allclose(over, [0.05, 0], atol=1e-6)
    np.testing.assert_allclose(under, [0, -0.01], atol=1e-6)
    assert [bar.get_x() for bar in reliability.containers[0]] == [8 / BINS, 14 / BINS]
    assert reliability.get_title() == "expected calibration error 3.00%, 15 bins"
