"""A picture of one vote over a data set: who is taken for whom, and how far its probabilities can be trusted."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training import figures
from training.evaluation.outcome import BINS, Outcome
from training.evaluation.report import MOST_PRINTED

# Classes that can still be named along an axis.
_MOST_NAMED = 60


def draw(labels: Sequence[str], outcome: Outcome, title: str, path: Path) -> None:
    """Draws the confusion matrix and the reliability diagram of `outcome`, side by side, into a PNG at `path`."""
    figure = Figure(figsize=(13, 6.6), layout="constrained")
    figure.suptitle(title, color=figures.INK, fontsize=13)
    left, right = figure.subfigures(1, 2, width_ratios=[1.25, 1])
    _draw_confusion(left.subplots(), labels, outcome)
    above, below = right.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    _draw_reliability(above, outcome)
    _draw_confidences(below, outcome)
    figures.save(figure, path)


def _draw_confusion(axes: Axes, labels: Sequence[str], outcome: Outcome) -> None:
    confusion = outcome.confusion()
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    # Most of a row lies on the diagonal; the root brings out what does not.
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.75, format=PercentFormatter(1, 0), label="of the true class")
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=9)
    axes.set(xlabel="answered", ylabel="true class")
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=figures.INK, length=0)
    if len(labels) <= _MOST_NAMED:
        size = min(9.0, 260 / len(labels))
        axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size)
        axes.set_yticks(range(len(labels)), labels, fontsize=size)
    if len(labels) <= MOST_PRINTED:
        for (row, column), count in np.ndenumerate(confusion):
            if count:
                colour = "white" if shares[row, column] > 0.3 else figures.INK
                axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)


def _draw_reliability(axes: Axes, outcome: Outcome) -> None:
    """Guo, Pleiss, Sun and Weinberger 2017, figure 1: accuracy by confidence, and the gap to the diagonal."""
    filled = [(number / BINS, each) for number, each in enumerate(outcome.reliability()) if each.pictures]
    lefts = np.array([left for left, _ in filled])
    accuracies = np.array([each.accuracy for _, each in filled])
    gaps = np.array([each.confidence for _, each in filled]) - accuracies
    bars = {"width": 1 / BINS, "align": "edge", "edgecolor": "white"}
    axes.bar(lefts, accuracies, color=figures.BLUE, label="accuracy", **bars)
    axes.bar(lefts, gaps.clip(min=0), bottom=accuracies, color=figures.ORANGE, label="over-confident", **bars)
    axes.bar(lefts, gaps.clip(max=0), bottom=accuracies, color=figures.GREEN, label="under-confident", **bars)
    axes.plot([0, 1], [0, 1], color=figures.INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    axes.set_title(
        f"expected calibration error {outcome.calibration_error():.2%}, {BINS} bins", fontsize=10, color=figures.INK
    )
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    figures.tidy([axes])


def _draw_confidences(axes: Axes, outcome: Outcome) -> None:
    pictures = np.array([each.pictures for each in outcome.reliability()])
    lefts = np.arange(BINS) / BINS
    axes.bar(lefts, pictures / pictures.sum(), 1 / BINS, align="edge", color=figures.PALE, edgecolor="white")
    axes.set(xlabel="confidence: the winner's probability", ylabel="pictures")
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
    figures.tidy([axes])
