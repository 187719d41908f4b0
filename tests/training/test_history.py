import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import history
from training.errors import DataUnusable

NAMES = ("epoch", "learning_rate", "loss", "top_1_error", "val_loss", "val_top_1_error", "grad norm, mean", "seconds")
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False)
ROWS = st.lists(st.dictionaries(st.sampled_from(NAMES), NUMBERS, min_size=1), max_size=5)


@given(rows=ROWS)
def test_rows_are_read_as_they_were_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("run") / "history.csv"
    history.write(path, rows)
    assert history.read(path) == rows


def test_columns_are_all_that_any_row_has_in_a_stable_order(tmp_path):
    path = tmp_path / "history.csv"
    first = {"seconds": 2.5, "top_1_error": 0.5, "loss": 1.25, "epoch": 1, "learning_rate": 0.1}
    history.write(path, [first, {**first, "epoch": 2, "val_loss": 1.5, "val_top_1_error": 0.25}])
    assert path.read_text() == (
        "epoch,learning_rate,loss,top_1_error,val_loss,val_top_1_error,seconds\n"
        "1,0.1,1.25,0.5,,,2.5\n"
        "2,0.1,1.25,0.5,1.5,0.25,2.5\n"
    )


def test_numpys_numbers_keep_every_digit(tmp_path):
    path = tmp_path / "history.csv"
    history.write(path, [{"epoch": np.int64(1), "loss": np.float32(0.1), "val_loss": np.nan}])
    (row,) = history.read(path)
    assert (row["epoch"], row["loss"]) == (1, float(np.float32(0.1)))
    assert np.isnan(row["val_loss"])


def test_what_stood_there_stays_when_writing_fails(tmp_path):
    path = tmp_path / "history.csv"
    history.write(path, [{"epoch": 1}])
    with pytest.raises(ValueError, match="could not convert"):
        history.write(path, [{"epoch": 1}, {"epoch": "two"}])
    assert history.read(path) == [{"epoch": 1}]


def test_a_run_that_has_no_history_yet_has_no_rows(tmp_path):
    assert history.read(tmp_path / "history.csv") == []


@pytest.mark.parametrize("line", ["2,much", "2,0.5,0.5", "2"])
def test_a_line_that_is_no_row_is_named(tmp_path, line):
    path = tmp_path / "history.csv"
    path.write_text(f"epoch,loss\n1,0.5\n{line}\n")
    with pytest.raises(DataUnusable, match=r"line 3 of .*history\.csv is not"):
        history.read(path)
