import numpy as np
import pytest
from rich.console import Console

from protos.classification_pb2 import Views
from serving.pipeline.plans import OF_THE_TEN
from training.evaluation import report
from training.evaluation.tally import Tally


def tally_of(classes, weights, labels=None):
    """Of three pictures of class 0, on which each member is surest of the last class and least sure of class 0."""
    labels = labels or [str(class_id) for class_id in range(classes)]
    tally = Tally("some test", labels, np.zeros(3, np.int32), weights, "mean-probability", list(OF_THE_TEN))
    for index in range(3):
        tally.add(index, np.tile(np.arange(classes, dtype=np.float32), (len(weights), 10, 1)))
    return tally


def printed(table):
    console = Console(width=120)
    with console.capture() as capture:
        console.print(table)
    return " ".join(capture.get().split())


@pytest.mark.parametrize(
    ("classes", "legend", "cell"),
    [(5, "top-1 error in %", "│ 100.00 │"), (6, "top-1 / top-5 error in %", "│ 100.00 / 100.00 │")],
)
def test_the_table_says_what_its_cells_are(classes, legend, cell):
    text = printed(report.errors_table(tally_of(classes, {"a": 1.0})))
    assert f"some test, 3 pictures, mean-probability; {legend}" in text.replace(" ┏", "")
    assert cell in text


@pytest.mark.parametrize("table", [report.errors_table, report.calibration_table])
def test_all_together_have_a_row_where_there_are_several(table):
    assert "all" not in printed(table(tally_of(3, {"a": 1.0})))
    text = printed(table(tally_of(3, {"a": 1.0, "b": 2.0})))
    assert text.index("│ a │") < text.index("│ b │") < text.index("│ all 2 │")


def test_brackets_in_names_are_shown():
    tally = tally_of(3, {"models/[red]a": 1.0}, ["[bold]x", "y", "[/]z"])
    assert "│ models/[red]a │" in printed(report.errors_table(tally))
    outcome = tally.rows[0].outcomes[Views.VIEWS_TEN]
    text = printed(report.class_table(tally.labels, outcome, "[red]a"))
    assert "[red]a" in text
    assert "│ [bold]x │ 3 │ 100.00 │ [/]z (3) │" in text


def test_columns_of_the_confusion_matrix_are_as_wide_as_their_numbers():
    tally = tally_of(12, {"a": 1.0})
    lines = report.confusion_text(tally.labels, tally.rows[0].outcomes[Views.VIEWS_TEN], "title").splitlines()
    assert lines[1] == "     " + "".join(f"{class_id:4}" for class_id in range(12))
    assert lines[2] == "0 0  " + "   ·" * 11 + "   3"
    assert lines[-1] == "11 11" + "   ·" * 12


def test_what_is_looked_at_closely_is_all_together_with_the_most_views():
    row, views, outcome = report.closest(tally_of(3, {"a": 1.0, "b": 2.0}))
    assert (row.name, views) == ("all 2", Views.VIEWS_TEN)
    assert outcome is row.outcomes[views]
