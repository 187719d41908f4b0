"""What a run went through, epoch by epoch, as a table that any program reads: history.csv."""

import csv
import io
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path

from training.durable import replacing
from training.errors import DataUnusable

_FIRST = ("epoch", "learning_rate", "loss", "top_1_error")
_LAST = "seconds"


def write(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Puts `rows`, one an epoch, in the place of the file at `path`, whole or not at all.

    Columns are all that any row has: epoch, learning_rate, loss and top_1_error first, seconds last,
    others between in the order in which they came up. A row without one leaves its cell empty.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    between = [name for name in names if name not in (*_FIRST, _LAST)]
    columns = [name for name in (*_FIRST, *between, _LAST) if name in names]
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    with replacing(path) as file:
        file.write(text.getvalue().encode())


def read(path: Path) -> list[dict[str, float]]:
    """The rows at `path`, exactly as they were written; none where there is no file.

    Raises DataUnusable where it is not such a table.
    """
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file, strict=True)
        try:
            return [{name: _number(cell) for name, cell in row.items() if cell != ""} for row in table]
        except (csv.Error, AttributeError, TypeError, ValueError) as error:
            raise DataUnusable(
                f"A history is a table of numbers with commas between; line {table.line_num} of {path} is not: "
                f"{error}. Mend the line or remove the file."
            ) from error


def _plain(value: float) -> int | float:
    """`value` without NumPy's type, which CSV would round."""
    return int(value) if isinstance(value, Integral) else float(value)


def _number(cell: str) -> int | float:
    try:
        return int(cell)
    except ValueError:
        return float(cell)
