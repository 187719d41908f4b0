"""What every picture that training draws has in common."""

from collections.abc import Iterable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.durable import replacing

BLUE, ORANGE, GREEN = "#2f6db5", "#e07b39", "#3f9c6d"
INK, PALE = "#333333", "#d9d9d9"


def tidy(axes: Iterable[Axes]) -> None:
    """Takes away what carries no number, and sets the rest back."""
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
        each.spines[["left", "bottom"]].set_color(PALE)
        each.tick_params(which="both", colors=INK, length=0, labelsize=9)
        each.grid(color=PALE, linewidth=0.6)
        each.set_axisbelow(True)


def save(figure: Figure, path: Path) -> None:
    """Writes `figure` to `path` as a PNG, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=120)
