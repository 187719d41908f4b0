"""The ladder: seven families on Fashion-MNIST, each for some minutes of two cores: `python -m training.ladder`.

Trains what is missing; an interrupted run goes on where it was.
"""

from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from training import recipes
from training.data import load
from training.job import train
from training.program import run
from training.publishing import stands

DATA_SET = "fashion-mnist"


class Rung(NamedTuple):
    """`published` is the test error, in percent, that the data set's authors list for the family, and of what."""

    architecture: str
    published: str


LADDER = (
    Rung("lenet5", ""),
    Rung("alexnet", "10.1, AlexNet with triplet loss"),
    Rung("zfnet", ""),
    Rung("vgg-a", "6.5, VGG16 of 26M parameters"),
    Rung("googlenet", "6.3, GoogLeNet"),
    Rung("resnet20", "5.1, ResNet18"),
    Rung("densenet-bc100-k12", "4.6, DenseNet-BC of 768K parameters"),
)


def directory_of(rung: Rung) -> Path:
    return Path("models", f"ladder-{rung.architecture}")


def main() -> None:
    data = load(DATA_SET)
    for rung in LADDER:
        recipe, directory = recipes.find(rung.architecture, DATA_SET), directory_of(rung)
        if not stands(directory, recipe, seed=0):
            train(recipe, data, 0, directory, Path("runs", directory.name), Console())


if __name__ == "__main__":
    run(main)
