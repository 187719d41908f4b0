"""One training job: fit, measure, publish."""

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
    from training.export import publish_trained
    from training.fit import fit
    from training.keeper import CHECKPOINT
    from training.progress import ShowProgress


class Published(NamedTuple):
    """A version on disk and its card."""

    directory: Path
    card: ModelCard


def train(recipe: Recipe, data: DataSet, seed: int, out: Path, run_directory: Path, console: Console) -> Published:
    """Trains, measures and publishes a new version at `out` (models/NAME); goes on where an interrupted
    job stopped.

    Raises RunTaken where another process works in `run_directory`, or it is `out`, and what fit
    and publish_trained raise.
    """
    if run_directory.resolve() == out.resolve():  # which is locked too, while a version is published
        raise RunTaken(f"A run has a directory of its own; {run_directory} is the model's. Take another run directory.")
    with alone_in(run_directory, wait=False) as alone:
        if not alone:
            raise RunTaken(
                f"One process trains in a run directory; another one does in {run_directory}. "
                "Wait for it, or take another directory."
            )
        with ShowProgress(out.name, console) as progress:
            trained = fit(recipe, data, seed, run_directory, [progress])
        directory = publish_trained(trained, data, out)
        # The job is done: started again, it begins anew. Somebody may have tidied up already.
        (run_directory / CHECKPOINT).unlink(missing_ok=True)
    return Published(directory, cards.read(directory))


def summary(card: ModelCard) -> str:
    """The card's top-1 errors in one line."""
    errors = ", ".join(f"{Views.Name(each.views)[6:].lower()} {each.top_1_error:.2%}" for each in card.measurements)
    return f"{card.measurements[0].data_set} ({card.measurements[0].pictures} pictures): {errors}"
