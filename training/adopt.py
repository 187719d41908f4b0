"""A model from elsewhere, published like one of our own: any Keras model, and published weights of our networks."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from protos.classification_pb2 import Vote
from protos.model_card_pb2 import Geometry, Input, ModelCard, Provenance
from serving.models.engines.quiet import chatter_kept_back
from training import preprocessing
from training.errors import NotExportable
from training.preprocessing import PRESETS, Preprocessing

with chatter_kept_back():
    import keras

    from training import architectures, foreign, weights
    from training.export import GOLDEN_INPUTS, count_parameters, publish_model

RESIZED = 256 / 224
"""The shorter side that networks of ImageNet are fed from, over the side of their input."""


class Target(NamedTuple):
    """Where a version goes, and what of its card only the user knows."""

    directory: Path
    """models/NAME"""
    labels: tuple[str, ...]
    shorter_side: int | None = None
    """To which pictures are resized; None is a side that leaves nothing, or little, to crop off."""
    margin: int = 0


def publish_keras(
    path: Path,
    target: Target,
    *,
    gives: Literal["logits", "probabilities"],
    prepared: Preprocessing = PRESETS["none"],
    crop: int | None = None,
    code: Iterable[Path] = (),
) -> Path:
    """A new version of the model in the .keras file at `path`: functional, sequential or subclassed.

    `crop` is the side of its input where the model leaves that open; `code` are files of Python
    that define the layers and models in it that are not Keras'.

    Returns the version's directory. Raises NotExportable where the file is not such a model, or
    what is said of it cannot be so; ModelRejected where the geometry does not fit it.
    """
    _check_labels(target.labels)
    network = foreign.load(path, code)
    shape = foreign.input_shape(network, path, crop)
    return _publish(network, shape, path, target, gives, prepared, target.shorter_side or max(shape[:2]))


def publish_weights(
    architecture: str,
    path: Path,
    target: Target,
    *,
    prepared: Preprocessing,
    options: Mapping[str, Any],
    crop: int | None = None,
) -> tuple[Path, weights.Report]:
    """A new version of one of our networks, in the variant that the weights in the file at `path` are of.

    `options` are those of `architectures.build` beside the variant's, or in their place. It gives logits.
    `crop` is the side of its input where that is not to be the network's own.

    Returns the version's directory. Raises UnknownName, BadRecipe, WeightsUnusable and what publish_keras raises.
    """
    _check_labels(target.labels)
    channels = architectures.find(architecture).input_shape[2]
    options = {**weights.variant(architecture, path).options, **options}
    network = architectures.build(architecture, len(target.labels), crop and (crop, crop, channels), **options)
    report = weights.load(network, path)
    shape = tuple(network.input_shape[1:])
    shorter_side = target.shorter_side or round(max(shape[:2]) * RESIZED)
    return _publish(network, shape, path, target, "logits", prepared, shorter_side), report


def _publish(
    network: keras.Model,
    shape: tuple[int, int, int],
    path: Path,
    target: Target,
    gives: str,
    prepared: Preprocessing,
    shorter_side: int,
) -> Path:
    """The golden inputs are noise, since no pictures are at hand; nothing is measured."""
    height, width, channels = shape
    preprocessing.check(prepared, channels)
    try:
        model = preprocessing.behind(network, prepared, shape)
    except Exception as error:  # a user's own code may raise anything
        raise NotExportable(
            f"A model to export takes pictures [batch, {height}, {width}, {channels}]; calling {path} on them "
            f"fails: {error}"
        ) from error
    _check_scores(model, path, target.labels)
    noise = np.random.default_rng(0).integers(0, 256, (GOLDEN_INPUTS, *shape), np.uint8)
    _check_given(model(noise), gives, path)
    card = ModelCard(
        name=target.directory.name,
        input=Input(height=height, width=width, channels=channels),
        labels=target.labels,
        geometry=Geometry(shorter_side=shorter_side, margin=target.margin),
        temperature=1.0,
        vote=Vote.VOTE_MEAN_PROBABILITY,
        provenance=Provenance(architecture=network.name, trainable_parameters=count_parameters(network)),
    )
    return publish_model(_as_logits(model, gives), card, noise, lambda engine: [], target.directory)


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


def _check_scores(model: keras.Model, path: Path, labels: Sequence[str]) -> None:
    """Raises NotExportable where `model` does not give one score a label."""
    if len(model.outputs) != 1:
        raise NotExportable(
            f"A model to export has one output; {path} has {len(model.outputs)}. Export a model of the one."
        )
    given = tuple(model.outputs[0].shape)
    if len(given) != 2 or given[1] != len(labels):
        raise NotExportable(
            f"A model to export gives one score a label, [batch, {len(labels)}]; {path} gives {list(given)}. "
            "Check that the labels file has one line a class."
        )


def _check_given(scores, gives: str, path: Path) -> None:
    """Raises NotExportable where `scores`, [pictures, classes], are not what `gives` says."""
    scores = np.asarray(keras.ops.cast(scores, "float32"))
    if not np.isfinite(scores).all():
        raise NotExportable(
            f"Scores are finite numbers; {path} gives others for pictures of noise. Check its weights, and that "
            "samples come as it was trained on (--preprocessing)."
        )
    sums = scores.sum(axis=-1)
    # Half precision, over many classes, adds up to 1 only about.
    probable = scores.min() >= 0 and scores.max() <= 1 and np.allclose(sums, 1, atol=1e-2)
    if gives == "logits" and probable:
        raise NotExportable(
            f"Logits are scores before softmax; those of {path} are all from 0 to 1 and add up to 1, as after it. "
            "Say that it gives probabilities (--gives probabilities)."
        )
    if gives == "probabilities" and not probable:
        raise NotExportable(
            f"Probabilities are from 0 to 1 and add up to 1; for pictures of noise {path} gives numbers from "
            f"{scores.min():.4g} to {scores.max():.4g} that add up to {sums.min():.4g} and more. Say that it gives "
            "logits (--gives logits), or put a softmax behind it."
        )


def _as_logits(model: keras.Model, gives: str) -> keras.Model:
    """Probabilities become logits by their logarithm, which softmax undoes."""
    scores = keras.ops.cast(model.outputs[0], "float32")
    if gives == "probabilities":
        scores = keras.ops.log(keras.ops.maximum(scores, float(np.finfo(np.float32).tiny)))
    return keras.Model(model.inputs, scores)
