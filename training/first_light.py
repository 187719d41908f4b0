"""What `make serve` serves before anyone has trained anything: `python -m training.first_light`.

Three LeNet-5 on scikit-learn's digits, declared as the ensemble "digits", and held-out digits
to try them on. What stands already is left as it is.
"""

from pathlib import Path

import yaml

from serving.models.declaration import DECLARATION
from training import recipes
from training.durable import replacing
from training.program import run
from training.publishing import stands

DATA_SET = "digits"
MODELS = ("lenet5-a", "lenet5-b", "lenet5-c")
"""Trained from the seeds 0, 1, 2."""
PICTURES = 100
"""The first held-out digits."""


def main(models: Path = Path("models"), pictures: Path = Path("pictures"), runs: Path = Path("runs")) -> None:
    """Trains, declares and writes what is missing below the three directories."""
    recipe = recipes.find("lenet5", DATA_SET)
    missing = [(seed, name) for seed, name in enumerate(MODELS) if not stands(models / name, recipe, seed)]
    if missing:
        _train(missing, models, runs)
    _declare(models / DECLARATION)
    _write_pictures(pictures / DATA_SET)


def _train(missing: list[tuple[int, str]], models: Path, runs: Path) -> None:
    from rich.console import Console

    from training import job
    from training.data import load

    console = Console()
    recipe, data = recipes.find("lenet5", DATA_SET), load(DATA_SET)
    console.print(f"Training {len(missing)} LeNet-5 on {len(data.train)} handwritten digits.")
    for seed, name in missing:
        published = job.train(recipe, data, seed, models / name, runs / name, console)
        console.print(
            f"{published.directory}: top-1 error on {job.summary(published.card)}", highlight=False, soft_wrap=True
        )


def _declare(path: Path) -> None:
    """Adds the ensemble to the declaration at `path`, unless one of its name is there."""
    declaration = (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}
    ensembles = declaration.setdefault("ensembles", {})
    if DATA_SET in ensembles:
        return
    ensembles[DATA_SET] = {"members": [{"model": name} for name in MODELS], "vote": "mean-probability"}
    with replacing(path) as file:
        file.write(yaml.safe_dump(declaration, sort_keys=False).encode())


def _write_pictures(directory: Path) -> None:
    """Held-out digits as PNG, each named after its class and its place among the held-out ones."""
    if directory.exists() and sum(1 for _ in directory.glob("*.png")) >= PICTURES:
        return
    from training.canvases import to_picture
    from training.data import load

    data = load(DATA_SET)
    directory.mkdir(parents=True, exist_ok=True)
    held_out = data.test.part(0, PICTURES)
    for index, (image, class_id) in enumerate(zip(held_out.images, held_out.class_ids, strict=True)):
        with replacing(directory / f"{data.labels[class_id]}-{index:04}.png") as file:
            to_picture(image).save(file, "PNG")


if __name__ == "__main__":
    run(main)
