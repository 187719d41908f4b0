"""Tables in the documents: lines of Markdown between two markers, written by the command that measured them."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from training.durable import replacing
from training.provenance import processor


def row(head: str, cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join([head, *cells])} |"


def heading(head: str, cells: Sequence[str]) -> list[str]:
    """The first two rows of a table whose columns, but for the first, are of numbers."""
    return [row(head, cells), row("---", ["---:"] * len(cells))]


def put(document: Path, name: str, lines: Sequence[str]) -> None:
    """Puts `lines` where the table called `name` stands in `document`. Raises ValueError where it stands nowhere."""
    content = "\n".join([*lines, ""])
    begin, end = f"<!-- {name} table: begin -->\n", f"<!-- {name} table: end -->\n"
    text = between(document.read_text(), begin, end, content)
    with replacing(document) as file:
        file.write(text.encode())


def between(text: str, begin: str, end: str, content: str) -> str:
    """`text` with what stands between the markers replaced. Raises ValueError where a marker is missing."""
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"A table stands between {begin.strip()} and {end.strip()}; one is missing. Put it back.")
    return before + begin + content + end + after


def today() -> str:
    """The date, and the machine that measured."""
    return f"{date.today()}, {processor()}"
