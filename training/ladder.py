"""The ladder: seven families on Fashion-MNIST, each for some minutes of two cores: `python -m training.ladder`.

Trains what is missing (an interrupted run goes on where it was), measures every network, their views and
their ensemble, and writes two tables into training/README.md.
"""

from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from protos.classification_pb2 import Views
from protos.model_card_pb2 import ModelCard
from training import recipes
from training.architectures import build
from training.data import load
from training.evaluate import Scores, measure, open_member
from training.job import train
from training.markdown import heading, put, row, today
from training.program import run
from training.publishing import stands
from training.recipes.recipe import Recipe
from training.tables import DATA_SET, README

FULL_EPOCHS = 100
FULL_SPEED = 1e13
"""Additions and multiplications that a training step is taken to do in a second of a GPU in 16 bits."""


COLUMNS = (
    *("parameters", "multiply-adds", "epochs", "minutes", "CPU minutes"),
    *("single %", "ten %", "published %", "full run"),
)


class Rung(NamedTuple):
    """`published` is the test error, in percent, that the data set's authors list for the family, and of what."""

    architecture: str
    published: str

    @property
    def recipe(self) -> Recipe:
        return recipes.find(self.architecture, DATA_SET)

    @property
    def directory(self) -> Path:
        return Path("models", f"ladder-{self.architecture}")


LADDER = (
    Rung("lenet5", "–"),
    Rung("alexnet", "10.1, with triplet loss"),
    Rung("zfnet", "–"),
    Rung("vgg-a", "6.5, VGG16"),
    Rung("googlenet", "6.3"),
    Rung("resnet20", "5.1, ResNet18"),
    Rung("densenet-bc100-k12", "4.6, BC, 768K parameters"),
)


def main() -> None:
    """Brings the tables of the ladder up to date."""
    data = load(DATA_SET)
    for rung in LADDER:
        if not stands(rung.directory, rung.recipe, seed=0):
            train(rung.recipe, data, 0, rung.directory, Path("runs", rung.directory.name), Console())
    members = [open_member(rung.directory) for rung in LADDER]
    scores = measure(members, data)
    note = (
        f"Top-1 errors on {len(data.test):,} test pictures; {today()}. The full run is computed and not measured: the "
        f"network with all its maps for {FULL_EPOCHS} epochs at {FULL_SPEED:.0e} operations a second."
    )
    lines = [*rungs(scores, [member.card for member in members]), "", *steps(scores), "", note]
    put(README, "ladder", lines)
    print("\n".join(lines))


def rungs(scores: Scores, cards: list[ModelCard]) -> list[str]:
    """Of each network: what it costs, what it took, and its errors beside the published one."""
    lines = heading("network", COLUMNS)
    for index, (rung, card) in enumerate(zip(LADDER, cards, strict=True)):
        errors = [scores.of(index).errors(views).top_1 for views in (Views.VIEWS_SINGLE, Views.VIEWS_TEN)]
        made = card.provenance
        operations = 6 * _multiply_adds(rung.recipe, full=True) * 60_000 * FULL_EPOCHS
        cells = [
            f"{made.trainable_parameters:,}",
            f"{_multiply_adds(rung.recipe) / 1e6:.1f} M",
            f"{rung.recipe.epochs}",
            f"{made.training_seconds / 60:.1f}",
            f"{made.training_cpu_seconds / 60:.1f}",
            *(f"{100 * error:.2f}" for error in errors),
            rung.published,
            f"{operations / FULL_SPEED / 60:.0f} min",
        ]
        lines.append(row(rung.architecture, cells))
    return lines


def steps(scores: Scores) -> list[str]:
    """From the best network's single view to all networks' ten, and what each step takes off."""
    members = range(len(LADDER))
    best = min(members, key=lambda member: scores.of(member).errors(Views.VIEWS_SINGLE).top_1)
    name = LADDER[best].architecture
    measured = {
        f"the best network, {name}, one view": scores.of(best).errors(Views.VIEWS_SINGLE).top_1,
        "its ten views": scores.of(best).errors(Views.VIEWS_TEN).top_1,
        f"all {len(LADDER)} networks, one view": scores.errors(Views.VIEWS_SINGLE).top_1,
        f"all {len(LADDER)} networks, ten views": scores.errors(Views.VIEWS_TEN).top_1,
    }
    lines, before = heading("asked", ["error %", "step"]), None
    for asked, error in measured.items():
        lines.append(row(asked, [f"{100 * error:.2f}", "" if before is None else f"{100 * (error - before):+.2f}"]))
        before = error
    return lines


def _multiply_adds(recipe: Recipe, full: bool = False) -> int:
    """Of one picture; `full` with all the maps and layers of the small stem's network."""
    from training.architectures.cost import multiply_adds
    from training.architectures.outline import outline

    thin = ("width", "fc_width", "blocks", "stride")
    options = {name: value for name, value in recipe.options.items() if not (full and name in thin)}
    shape = (recipe.input_side, recipe.input_side, 1)
    return multiply_adds(outline(lambda: build(recipe.architecture, 10, shape, **options)))


if __name__ == "__main__":
    run(main)
