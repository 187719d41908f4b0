"""How votes went, as tables for people and as one object for programs."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from protos.classification_pb2 import Views
from training.evaluation.outcome import BINS, Outcome
from training.evaluation.tally import Row, Tally

MOST_PRINTED = 20
"""Classes of a confusion matrix that is printed; a larger one is drawn."""


def views_name(views: Views) -> str:
    """As options and tables call it: "ten"."""
    return Views.Name(views).removeprefix("VIEWS_").replace("_", "-").lower()


def plans_named(names: Sequence[str]) -> list[Views]:
    """The choices of views that are called so."""
    return [Views.Value(f"VIEWS_{name.replace('-', '_').upper()}") for name in names]


def errors_table(tally: Tally) -> Table:
    """Errors in percent, top-1 and (of more than five classes) top-5: a line for each row of `tally`, a column
    for each choice of views.
    """
    kind = "top-1 error" if len(tally.labels) <= 5 else "top-1 / top-5 error"
    title = f"{tally.data_set}, {tally.pictures} pictures, {tally.vote_name}; {kind} in %"
    return _by_views(tally, title, _errors)


def calibration_table(tally: Tally) -> Table:
    """Calibration errors in percent, laid out like the errors."""
    title = f"expected calibration error in %, over {BINS} equal bins of the winner's probability"
    return _by_views(tally, title, lambda outcome: _percent(outcome.calibration_error()))


def class_table(labels: Sequence[str], outcome: Outcome, title: str) -> Table:
    """A line a class: its pictures, its error in percent, and what it was most often taken for."""
    shown = Table(title=Text(title))
    shown.add_column("class", overflow="fold")
    for heading in ("pictures", "error %"):
        shown.add_column(heading, justify="right")
    shown.add_column("most often taken for", overflow="fold")
    for label, fared in zip(labels, outcome.by_class(), strict=True):
        error = "" if fared.error is None else _percent(fared.error)
        taken_for = "" if fared.taken_for is None else f"{labels[fared.taken_for]} ({fared.taken})"
        shown.add_row(Text(label), str(fared.pictures), error, Text(taken_for))
    return shown


def confusion_text(labels: Sequence[str], outcome: Outcome, title: str) -> str:
    """The confusion matrix in lines of plain text: a row for each true class, a column for each class that was
    answered; a point where none was.
    """
    confusion = outcome.confusion()
    width = 2 + max(len(str(confusion.max())), len(str(len(labels) - 1)))
    names = [f"{class_id} {label}" for class_id, label in enumerate(labels)]
    margin = max(map(len, names))
    lines = [title, " " * margin + "".join(f"{class_id:{width}}" for class_id in range(len(labels)))]
    for name, counts in zip(names, confusion, strict=True):
        lines.append(name.ljust(margin) + "".join(f"{count or '·':>{width}}" for count in counts))
    return "\n".join(lines)


def as_json(tally: Tally) -> dict[str, Any]:
    """Everything: errors and calibration of every row with each choice of views; classes, confusion and
    reliability of the last row with the most views.
    """
    results = [
        {
            "name": row.name,
            "views": views_name(views),
            "top_1_error": outcome.errors().top_1,
            "top_5_error": outcome.errors().top_5,
            "calibration_error": outcome.calibration_error(),
        }
        for row in tally.rows
        for views, outcome in row.outcomes.items()
    ]
    row, views, outcome = closest(tally)
    return {
        "data_set": tally.data_set,
        "pictures": tally.pictures,
        "labels": list(tally.labels),
        "vote": tally.vote_name,
        "weights": dict(tally.weights),
        "results": results,
        "closely": {
            "name": row.name,
            "views": views_name(views),
            "classes": [
                {
                    "label": label,
                    "pictures": fared.pictures,
                    "error": fared.error,
                    "taken_for": None if fared.taken_for is None else tally.labels[fared.taken_for],
                    "taken": fared.taken,
                }
                for label, fared in zip(tally.labels, outcome.by_class(), strict=True)
            ],
            "confusion": outcome.confusion().tolist(),
            "reliability": [
                {"above": number / BINS, "up_to": (number + 1) / BINS, **each._asdict()}
                for number, each in enumerate(outcome.reliability())
            ],
        },
    }


def closest(tally: Tally) -> tuple[Row, Views, Outcome]:
    """What is looked at closely: the last row with the most views."""
    row = tally.rows[-1]
    views = tally.plans[-1]
    return row, views, row.outcomes[views]


def _by_views(tally: Tally, title: str, cell: Callable[[Outcome], str]) -> Table:
    shown = Table(title=Text(title))
    shown.add_column("", overflow="fold")
    for views in tally.plans:
        shown.add_column(views_name(views), justify="right")
    for row in tally.rows:
        if row.members == slice(None):
            shown.add_section()
        shown.add_row(Text(row.name), *[cell(outcome) for outcome in row.outcomes.values()])
    return shown


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def _errors(outcome: Outcome) -> str:
    return " / ".join(_percent(error) for error in outcome.errors() if error is not None)
