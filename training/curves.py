"""The picture of a run: loss, error and learning rate by epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter
from numpy.typing import NDArray

from training import figures

_TRAINING, _VALIDATION = "training crops", "validation"
# Names in a row of the history: on training crops, on validation pictures.
_LOSSES = {_TRAINING: "loss", _VALIDATION: "val_loss"}
_ERRORS = {_TRAINING: "top_1_error", _VALIDATION: "val_top_1_error"}
_COLOURS = {_TRAINING: figures.BLUE, _VALIDATION: figures.ORANGE}


def draw(rows: Sequence[Mapping[str, float]], path: Path, title: str) -> None:
    """Draws the history `rows` into a PNG at `path`: at least one, each with epoch, learning_rate, loss and
    top_1_error, and some with val_loss and val_top_1_error where the run was validated.
    """
    figure = Figure(figsize=(8, 7.5), layout="constrained")
    figure.suptitle(title, color=figures.INK, fontsize=12)
    losses, errors, rates = figure.subplots(3, 1, sharex=True, height_ratios=[3, 3, 1])
    _draw_lines(losses, rows, _LOSSES)
    losses.set_ylabel("loss")
    _logarithmic_if_wide(losses)
    _draw_lines(errors, rows, _ERRORS)
    errors.set_ylabel("top-1 error")
    errors.yaxis.set_major_formatter(PercentFormatter(1))
    errors.set_ylim(bottom=0)
    epochs, rate = _points(rows, "learning_rate")
    rates.step([*epochs - 0.5, epochs[-1] + 0.5], [*rate, rate[-1]], where="post", color=figures.GREEN)
    rates.set_ylabel("learning rate")
    _logarithmic_if_wide(rates)
    rates.set_xlabel("epoch")
    rates.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    rates.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figures.tidy([losses, errors, rates])
    figures.save(figure, path)


def _draw_lines(axes: Axes, rows: Sequence[Mapping[str, float]], names: Mapping[str, str]) -> None:
    for label, name in names.items():
        epochs, values = _points(rows, name)
        if len(epochs):
            marker = "o" if len(epochs) == 1 else None  # one point makes no line
            axes.plot(epochs, values, color=_COLOURS[label], linewidth=1.8, marker=marker, markersize=4, label=label)
    axes.legend(frameon=False, fontsize=9)


def _points(rows: Sequence[Mapping[str, float]], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The epochs whose row has a value called so, and the values: float64 [points] each."""
    epochs, values = np.array([(row["epoch"], row[name]) for row in rows if name in row], np.float64).reshape(-1, 2).T
    return epochs, values


def _logarithmic_if_wide(axes: Axes) -> None:
    """A logarithmic scale where what is drawn is positive and spans more than a decade."""
    values = np.concatenate([line.get_ydata() for line in axes.lines])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > 10 * values.min():
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        few = values.max() < 100 * values.min()
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)) if few else NullLocator())
        axes.yaxis.set_minor_formatter("{x:g}")
    else:
        axes.set_ylim(bottom=0)
