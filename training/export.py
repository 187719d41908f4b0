"""From a trained model to a version on disk: a SavedModel and its card, held against each other."""

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from protos.classification_pb2 import Views, Vote
from protos.model_card_pb2 import GoldenInput, Measurement, ModelCard, Provenance
from serving.models import card as cards
from serving.models.dense import open_dense
from serving.models.engines.tensorflow import TensorFlowEngine, dense_engine
from serving.pipeline import views
from training import provenance
from training.canvases import geometry_of, input_of, to_picture
from training.data import DataSet
from training.data.data_set import Pictures
from training.evaluate import Member, count_votes
from training.evaluation.scores import measurements
from training.fit import Trained
from training.fully_convolutional import fully_convolutional
from training.publishing import publish

GOLDEN_INPUTS = 4


def publish_trained(trained: Trained, data: DataSet, directory: Path) -> Path:
    """A new version of the model at `directory` (models/NAME), measured on the pictures of `data` to measure on.

    Returns the version's directory. Raises ModelRejected where the exported model does not
    answer as its card says.
    """
    recipe = trained.recipe
    card = ModelCard(
        name=directory.name,
        input=input_of(recipe, data.channels),
        labels=data.labels,
        geometry=geometry_of(recipe),
        temperature=1.0,
        vote=Vote.VOTE_MEAN_PROBABILITY,
        provenance=Provenance(
            architecture=recipe.architecture,
            data_set=data.name,
            seed=trained.seed,
            trainable_parameters=count_parameters(trained.model),
            training_seconds=trained.spent("seconds"),
            training_cpu_seconds=trained.spent("cpu_seconds"),
            device=provenance.device(),
        ),
    )
    card.provenance.recipe.update(recipe.as_dict())

    def measured(engine: cards.Engine) -> Iterable[Measurement]:
        tally = count_votes({card.name: Member(card, engine)}, data)
        return measurements(tally.data_set, tally.rows[-1].outcomes)

    return publish_model(trained.model, card, golden_rows(data.test, card), measured, directory)


def publish_model(
    model: keras.Model,
    card: ModelCard,
    golden: NDArray[np.uint8],
    measured: Callable[[cards.Engine], Iterable[Measurement]],
    directory: Path,
) -> Path:
    """A new version of the model at `directory`, with everything that `card` still lacks.

    `model` takes uint8 [N, height, width, channels] and gives float32 logits [N, classes];
    `golden`, uint8 of that shape, becomes the golden inputs; `measured` measures the exported model.
    """

    def fill(staging: Path) -> None:
        card.dense = save(model, staging)
        engine = TensorFlowEngine(staging)
        probabilities = cards.softmax(engine.run(golden))
        card.golden_inputs.extend(
            GoldenInput(png=_png(row), probabilities=scores) for row, scores in zip(golden, probabilities, strict=True)
        )
        card.measurements.extend(measured(engine))
        card.provenance.published.GetCurrentTime()
        card.provenance.versions.update(provenance.versions())
        card.provenance.git_revision = provenance.git_revision()
        card.files.extend(cards.describe_files(staging))
        cards.write(card, staging)
        cards.validate(cards.read(staging), staging, lambda _: engine)
        open_dense(card, staging, dense_engine)

    return publish(directory, fill)


def save(model: keras.Model, directory: Path) -> bool:
    """Writes the SavedModel of `model` (uint8 [N, height, width, channels] -> logits) into `directory`.

    Its signature "serving_default" gives {"logits", "probabilities"}, both float32 [N, classes]. Where the network
    can be run as fully convolutional, "dense" takes pictures of that size and larger, and gives {"logits"}. Returns
    whether it can.
    """

    def serving_default(pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = model(pictures, training=False)
        return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

    signatures = {"serving_default": _taking(model.input_shape, serving_default)}
    everywhere = fully_convolutional(model)
    if everywhere is not None:
        signatures["dense"] = _taking(
            everywhere.input_shape, lambda pictures: {"logits": everywhere(pictures, training=False)}
        )
    # Not model.export(), which writes every weight twice.
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    tf.saved_model.save(module, str(directory), signatures=signatures)
    return everywhere is not None


def _taking(shape: tuple[int | None, ...], compute: Callable[[tf.Tensor], dict[str, tf.Tensor]]):
    """The signature that computes from "pictures", uint8 of `shape`."""
    return tf.function(compute, input_signature=[tf.TensorSpec(shape, tf.uint8, name="pictures")])


def golden_rows(pictures: Pictures, card: ModelCard) -> NDArray[np.uint8]:
    """The centre view of the first picture of each of the first few classes: uint8 [N, height, width, channels]."""
    _, firsts = np.unique(pictures.class_ids, return_index=True)
    rows = [
        views.cut(to_picture(pictures.images[index]), card.input, card.geometry, Views.VIEWS_SINGLE)
        for index in firsts[:GOLDEN_INPUTS]
    ]
    return np.concatenate(rows)


def count_parameters(model: keras.Model) -> int:
    """Trainable numbers in `model`."""
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def _png(row: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    to_picture(row).save(file, "PNG")
    return file.getvalue()
