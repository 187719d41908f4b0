"""A Keras model from elsewhere, published like one of our own."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from protos.classification_pb2 import Vote
from protos.model_card_pb2 import Geometry, Input, ModelCard, Provenance
from serving.models.engines.quiet import chatter_kept_back
from training.errors import NotExportable

with chatter_kept_back():
    import keras

    from training.export import GOLDEN_INPUTS, count_parameters, publish_model
    from training.fit import behind_scaling


def publish_keras(
    path: Path,
    *,
    labels: tuple[str, ...],
    directory: Path,
    gives: Literal["logits", "probabilities"],
    mean: Sequence[float] = (0.0,),
    scale: float = 1.0,
    shorter_side: int | None = None,
    margin: int = 0,
) -> Path:
    """A new version, at `directory` (models/NAME), of the model in the .keras file at `path`.

    The model is fed with (picture - mean) * scale, picture from 0 to 255, `mean` one number or
    one a channel. Probabilities become logits by their logarithm, which softmax undoes. The
    pictures of the golden inputs are noise, since no others are at hand; nothing is measured.

    Returns the version's directory. Raises NotExportable where the file is not such a model, or
    what is said of it cannot be so; ModelRejected where the geometry does not fit it.
    """
    _check_labels(labels)
    _check_scaling(mean, scale)
    try:
        network = keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise NotExportable(
            f"A model to export is a whole .keras file without custom layers; {path} cannot be read: {error}"
        ) from error
    height, width, channels = _check(network, path, labels, mean)
    scales = np.full(channels, scale)
    scaled = behind_scaling(network, scales, -np.asarray(mean) * scales)
    noise = np.random.default_rng(0).integers(0, 256, (GOLDEN_INPUTS, height, width, channels), np.uint8)
    if gives == "logits":
        _check_logits(scaled(noise), path)
    model = _as_logits(scaled, gives)
    card = ModelCard(
        name=directory.name,
        input=Input(height=height, width=width, channels=channels),
        labels=labels,
        geometry=Geometry(shorter_side=shorter_side or max(height, width), margin=margin),
        temperature=1.0,
        vote=Vote.VOTE_MEAN_PROBABILITY,
        provenance=Provenance(architecture=network.name, trainable_parameters=count_parameters(network)),
    )
    return publish_model(model, card, noise, lambda engine: [], directory)


def _check_labels(labels: Sequence[str]) -> None:
    """Raises NotExportable where a label is empty or comes twice."""
    for number, label in enumerate(labels, 1):
        if not label.strip():
            raise NotExportable(f"A class has a name; label {number} is empty. Name it, or remove the empty line.")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise NotExportable(
            f"Each class has a name of its own; {', '.join(twice)} came more than once. Tell them apart, "
            "by a number say."
        )


def _check_scaling(mean: Sequence[float], scale: float) -> None:
    """Raises NotExportable where pictures would come out as constants or no numbers."""
    if not all(math.isfinite(each) for each in mean):
        came = ", ".join(str(each) for each in mean)
        raise NotExportable(f"A mean is a finite number; {came} came. Give what the model was trained with.")
    if not math.isfinite(scale) or scale == 0:
        raise NotExportable(
            f"A scale is a finite number other than 0; {scale} came. Give what the model was trained with, 1/255 say."
        )


def _check_logits(scores, path: Path) -> None:
    """Raises NotExportable where `scores`, [pictures, classes], are probabilities."""
    scores = np.asarray(keras.ops.cast(scores, "float32"))
    # Half precision, over many classes, adds up to 1 only about.
    if scores.min() >= 0 and scores.max() <= 1 and np.allclose(scores.sum(axis=-1), 1, atol=1e-2):
        raise NotExportable(
            f"Logits are scores before softmax; those of {path} are all from 0 to 1 and add up to 1, as after it. "
            "Say that it gives probabilities (--gives probabilities)."
        )


def _check(network: keras.Model, path: Path, labels: Sequence[str], mean: Sequence[float]) -> tuple[int, int, int]:
    """The input's height, width and channels. Raises NotExportable."""
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise NotExportable(
            f"A model to export has one input and one output; {path} has {len(network.inputs)} and "
            f"{len(network.outputs)}. Export a model of the two that matter."
        )
    taken, given = tuple(network.inputs[0].shape), tuple(network.outputs[0].shape)
    if len(taken) != 4 or None in taken[1:] or taken[3] not in (1, 3):
        raise NotExportable(
            f"A model to export takes [batch, height, width, 1 or 3] of fixed size; {path} takes {list(taken)}. "
            "Build it again with keras.Input((height, width, channels))."
        )
    if len(given) != 2 or given[1] != len(labels):
        raise NotExportable(
            f"A model to export gives one score a label, [batch, {len(labels)}]; {path} gives {list(given)}. "
            "Check that the labels file has one line a class."
        )
    if len(mean) not in (1, taken[3]):
        raise NotExportable(f"A mean is one number or one for each of {taken[3]} channels; {len(mean)} came.")
    return taken[1:]


def _as_logits(model: keras.Model, gives: str) -> keras.Model:
    scores = keras.ops.cast(model.outputs[0], "float32")
    if gives == "probabilities":
        scores = keras.ops.log(keras.ops.maximum(scores, float(np.finfo(np.float32).tiny)))
    return keras.Model(model.inputs, scores)
