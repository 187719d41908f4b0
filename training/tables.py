"""The measured table of LeNet-5 in training/README.md: `python -m training.tables`.

Trains what is missing (an interrupted run goes on where it was), measures it, and writes the
table between its markers. The seeds are the first seven, the recipe is the tree's.
"""

from pathlib import Path

import numpy as np
from rich.console import Console

from serving.pipeline.plans import OF_THE_TEN
from training import recipes
from training.data import load
from training.evaluate import Scores, measure, open_member
from training.evaluation.report import views_name
from training.job import train
from training.markdown import heading, put, row, today
from training.program import run
from training.publishing import stands

README = Path(__file__).parent / "README.md"
DATA_SET = "fashion-mnist"
SEEDS = range(7)


def main() -> None:
    """Brings the Fashion-MNIST table up to date."""
    recipe, data = recipes.find("lenet5", DATA_SET), load(DATA_SET)
    directories = [Path("models", f"fashion-{seed}") for seed in SEEDS]
    for seed, directory in zip(SEEDS, directories, strict=True):
        if not stands(directory, recipe, seed):
            train(recipe, data, seed, directory, Path("runs", directory.name), Console())
    members = [open_member(directory) for directory in directories]
    note = (
        f"Top-1 errors on {len(data.test):,} test pictures, ± standard deviation over seeds; {recipe.epochs} epochs; "
        f"{today()}."
    )
    lines = [*table(measure(members, data)), "", note]
    put(README, DATA_SET, lines)
    print("\n".join(lines))


def table(scores: Scores) -> list[str]:
    """Top-1 errors in percent as lines of Markdown: a network alone (mean and standard deviation over
    the members), and all together, with each choice of views.
    """
    members = range(scores.logits.shape[1])
    alone = {views: [scores.of(member).errors(views).top_1 for member in members] for views in OF_THE_TEN}
    together = {views: scores.errors(views).top_1 for views in OF_THE_TEN}
    return [
        *heading("error %", [views_name(views) for views in OF_THE_TEN]),
        row(
            f"one network (mean of {len(members)})",
            [f"{100 * np.mean(errors):.2f} ± {100 * np.std(errors, ddof=1):.2f}" for errors in alone.values()],
        ),
        row(f"ensemble of {len(members)}", [f"{100 * error:.2f}" for error in together.values()]),
    ]


if __name__ == "__main__":
    run(main)
