"""The measured tables of training/README.md: `python -m training.tables`.

Trains what is missing (an interrupted run goes on where it was), measures it, and writes the
table between its markers. The seeds are the first seven, the recipe is the tree's.
"""

import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
from rich.console import Console

from protos.classification_pb2 import Views
from serving.pipeline.views import PLANS
from training import recipes
from training.data import load
from training.durable import replacing
from training.evaluate import Scores, measure, open_member
from training.job import train
from training.program import run
from training.publishing import stands

README = Path(__file__).parent / "README.md"
DATA_SET = "fashion-mnist"
SEEDS = range(7)
BEGIN, END = f"<!-- {DATA_SET} table: begin -->\n", f"<!-- {DATA_SET} table: end -->\n"


def main() -> None:
    """Brings the Fashion-MNIST table up to date."""
    recipe, data = recipes.find("lenet5", DATA_SET), load(DATA_SET)
    directories = [Path("models", f"fashion-{seed}") for seed in SEEDS]
    for seed, directory in zip(SEEDS, directories, strict=True):
        if not stands(directory, recipe, seed):
            train(recipe, data, seed, directory, Path("runs", directory.name), Console())
    members = [open_member(directory) for directory in directories]
    rows = table(measure(members, data))
    note = (
        f"Top-1 errors on {len(data.test):,} test pictures, ± standard deviation over seeds; {recipe.epochs} epochs; "
        f"{date.today()}, {os.cpu_count()} cores of {_cpu()}."
    )
    written = "\n".join([*rows, "", note, ""])
    with replacing(README) as file:
        file.write(write_between(README.read_text(), BEGIN, END, written).encode())
    print(written)


def table(scores: Scores) -> list[str]:
    """Top-1 errors in percent as lines of Markdown: a network alone (mean and standard deviation over
    the members), and all together, with each choice of views.
    """
    members = range(scores.logits.shape[1])
    alone = {views: [scores.of(member).errors(views).top_1 for member in members] for views in PLANS}
    together = {views: scores.errors(views).top_1 for views in PLANS}
    return [
        _row("error %", [Views.Name(views).removeprefix("VIEWS_").lower() for views in PLANS]),
        _row("---", ["---:"] * len(PLANS)),
        _row(
            f"one network (mean of {len(members)})",
            [f"{100 * np.mean(errors):.2f} ± {100 * np.std(errors, ddof=1):.2f}" for errors in alone.values()],
        ),
        _row(f"ensemble of {len(members)}", [f"{100 * error:.2f}" for error in together.values()]),
    ]


def write_between(text: str, begin: str, end: str, content: str) -> str:
    """`text` with what stands between the markers replaced. Raises ValueError where a marker is missing."""
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"A table stands between {begin.strip()} and {end.strip()}; one is missing. Put it back.")
    return before + begin + content + end + after


def _row(head: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([head, *cells])} |"


def _cpu() -> str:
    """The processor's name, where the system tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    run(main)
