"""One training job: fit, measure, publish."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from protos.classification_pb2 import Views
from protos.model_card_pb2 import ModelCard
from serving.models import card as cards
from serving.models.engines.quiet import chatter_kept_back
from training.data import DataSet
from training.durable import alone_in
from training.errors import RunTaken
from training.recipes.recipe import Recipe

with chatter_kept_back():
    from training import curves, history, ledger
    from training.distribution import is_chief, strategy_of, wait_for_all
    from training.export import publish_trained
    from training.fit import Trained, fit
    from training.keeper import CHECKPOINT
    from training.progress import ShowProgress
    from training.weights import Init


HISTORY, CURVES = "history.csv", "curves.png"


class Published(NamedTuple):
    """A version on disk and its card."""

    directory: Path
    card: ModelCard


def train(
    recipe: Recipe,
    data: DataSet,
    seed: int,
    out: Path,
    run_directory: Path,
    console: Console,
    init: Path | None = None,
) -> Published | None:
    """Trains, measures and publishes a new version at `out` (models/NAME); goes on where an interrupted
    job stopped. Weights in the file `init` take the place of drawn ones.

    A finished job leaves its history and curves in `run_directory`, and a line in the ledger beside it.
    Where the environment says that several machines train together, all but the chief write, show and
    publish nothing, and get None when the chief has published.

    Raises RunTaken where another process works in `run_directory`, or it is `out`, and what
    strategy_of, fit and publish_trained raise.
    """
    if run_directory.resolve() == out.resolve():  # which is locked too, while a version is published
        raise RunTaken(f"A run has a directory of its own; {run_directory} is the model's. Take another run directory.")
    strategy = strategy_of(os.environ)
    chief = is_chief(strategy)
    with alone_in(run_directory, wait=False) if chief else nullcontext(True) as alone:
        if not alone:
            raise RunTaken(
                f"One process trains in a run directory; another one does in {run_directory}. "
                "Wait for it, or take another directory."
            )
        with ShowProgress(out.name, recipe.epochs, console) if chief else nullcontext() as progress:
            said = console if chief else Console(quiet=True)
            weights = Init(init, lambda report: said.print(str(report), highlight=False)) if init else None
            trained = fit(recipe, data, seed, run_directory, [progress] if chief else [], strategy, weights)
        published = _finish(trained, data, out, run_directory) if chief else None
        wait_for_all(strategy)
    return published


def _finish(trained: Trained, data: DataSet, out: Path, run_directory: Path) -> Published:
    directory = publish_trained(trained, data, out)
    card = cards.read(directory)
    history.write(run_directory / HISTORY, trained.history)
    title = f"{out.name}: {trained.recipe.architecture} on {data.name}"
    curves.draw(trained.history, run_directory / CURVES, title)
    ledger.append(run_directory.parent / ledger.NAME, ledger.entry_of(card, int(directory.name)))
    # The job is done: started again, it begins anew. Somebody may have tidied up already.
    (run_directory / CHECKPOINT).unlink(missing_ok=True)
    return Published(directory, card)


def summary(card: ModelCard) -> str:
    """The card's top-1 errors in one line."""
    errors = ", ".join(f"{Views.Name(each.views)[6:].lower()} {each.top_1_error:.2%}" for each in card.measurements)
    return f"{card.measurements[0].data_set} ({card.measurements[0].pictures} pictures): {errors}"
