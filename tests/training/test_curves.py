import matplotlib.figure
import numpy as np
import pytest
from PIL import Image

from training import curves, figures


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


def rows(count, **values):
    """`count` epochs, each value given as a function of the epoch."""
    usual = {"learning_rate": lambda epoch: 0.1, "loss": lambda epoch: 1 / epoch, "top_1_error": lambda epoch: 0.5}
    return [{"epoch": n, **{name: of(n) for name, of in {**usual, **values}.items()}} for n in range(1, count + 1)]


def test_a_picture_of_loss_error_and_learning_rate_is_written(tmp_path, drawn):
    path = tmp_path / "runs" / "a" / "curves.png"
    curves.draw(rows(12), path, "lenet5 on digits")
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert np.asarray(image.convert("L")).std() > 10
    losses, errors, rates = drawn[0].axes
    assert drawn[0].get_suptitle() == "lenet5 on digits"
    assert [axes.get_ylabel() for axes in drawn[0].axes] == ["loss", "top-1 error", "learning rate"]
    np.testing.assert_allclose(losses.lines[0].get_xydata(), [(n, 1 / n) for n in range(1, 13)])
    np.testing.assert_allclose(errors.lines[0].get_xydata(), [(n, 0.5) for n in range(1, 13)])
    assert set(rates.lines[0].get_ydata()) == {0.1}


@pytest.mark.parametrize(("last", "scale"), [(0.05, "log"), (0.2, "linear"), (0.0, "linear")])
def test_a_loss_over_more_than_a_decade_is_drawn_on_a_logarithmic_scale(tmp_path, drawn, last, scale):
    curves.draw(rows(2, loss=lambda epoch: 1 if epoch == 1 else last), tmp_path / "curves.png", "a run")
    assert drawn[0].axes[0].get_yscale() == scale


def test_validation_is_drawn_where_there_is_some(tmp_path, drawn):
    history = rows(4)
    history[1] |= {"val_loss": 0.75, "val_top_1_error": 0.25}
    history[3] |= {"val_loss": 0.5, "val_top_1_error": 0.125}
    curves.draw(history, tmp_path / "curves.png", "a run")
    curves.draw(rows(4), tmp_path / "curves.png", "a run")
    with_validation, without = drawn
    for axes in with_validation.axes[:2]:
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training crops", "validation"]
    np.testing.assert_array_equal(with_validation.axes[1].lines[1].get_ydata(), [0.25, 0.125])
    assert [len(axes.lines) for axes in without.axes] == [1, 1, 1]


def test_one_epoch_and_a_loss_that_is_no_number_can_be_drawn(tmp_path, drawn):
    curves.draw(rows(1), tmp_path / "curves.png", "a run")
    curves.draw(rows(2, loss=lambda epoch: np.nan), tmp_path / "curves.png", "a run")
    assert drawn[0].axes[0].lines[0].get_marker() == "o"
    left, right = drawn[0].axes[2].get_xlim()
    assert [tick for tick in drawn[0].axes[2].get_xticks() if left <= tick <= right] == [1]


def test_a_picture_that_stood_there_stays_when_drawing_fails(tmp_path, monkeypatch):
    path = tmp_path / "curves.png"
    path.write_bytes(b"before")

    def fail(figure, file, **options):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", fail)
    with pytest.raises(OSError, match="No space"):
        curves.draw(rows(2), path, "a run")
    assert path.read_bytes() == b"before"
