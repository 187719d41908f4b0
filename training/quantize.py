"""A version becomes another one in 8 bits: ranges are taken from training pictures, errors are measured anew."""

import shutil
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protos.classification_pb2 import Views
from protos.model_card_pb2 import ModelCard, Quantization
from serving.models import card as cards
from serving.models.engines.loading import measured_with, published_precision
from serving.models.engines.openvino import openvino
from serving.pipeline import views
from training import calibration
from training.canvases import to_picture
from training.data import DataSet
from training.errors import NotQuantizable
from training.evaluate import Member, check_labels, count_votes, open_member
from training.evaluation.scores import measurements
from training.publishing import newest_version, publish

NETWORK = Path("assets.extra", "openvino", "int8.xml")
"""In a version's directory; its weights are in a .bin beside it."""


def publish_quantized(model: Path, data: DataSet, pictures: int) -> Path:
    """A new version of the model at `model`, which is models/NAME for its newest version, or models/NAME/VERSION.

    Ranges are those of activations on `pictures` of the training pictures of `data`; errors are measured on those to
    measure on. The new version is the SavedModel of the old one, as it is, and the quantised network beside it.

    Returns its directory. Raises NotQuantizable where the version is quantised already, DataUnusable where the data
    has other labels, ModelRejected where the version does not match its card, or the quantised network's golden
    probabilities are too far from the card's.
    """
    source = newest_version(model) or model
    card = open_member(source).card
    if published_precision(card) == "int8":
        raise NotQuantizable(
            f"A version is quantised from one in float32; {source} is quantised already, from version "
            f"{card.quantization.of_version}. Quantise that one: {source.with_name(str(card.quantization.of_version))}."
        )
    check_labels(card, data)
    rows = centre_views(data, card, pictures)

    def fill(staging: Path) -> None:
        _copy(card, source, staging)
        (staging / NETWORK).parent.mkdir(parents=True)
        openvino.save_model(calibration.quantize(source, rows), staging / NETWORK, compress_to_fp16=False)
        quantized = _card(card, Quantization(data_set=data.name, pictures=len(rows), of_version=int(source.name)))
        quantized.files.extend(cards.describe_files(staging))
        cards.write(quantized, staging)
        engine = cards.validate(quantized, staging, measured_with)
        tally = count_votes({card.name: Member(quantized, engine)}, data)
        quantized.measurements.extend(measurements(tally.data_set, tally.rows[-1].outcomes))
        cards.write(quantized, staging)

    return publish(source.parent, fill)


def centre_views(data: DataSet, card: ModelCard, pictures: int) -> NDArray[np.uint8]:
    """uint8 [N, height, width, channels], from training pictures that lie evenly in their order, so that all classes
    are among them; all of them where there are fewer than `pictures`.
    """
    images = data.train.images
    indices = np.unique(np.linspace(0, len(images) - 1, pictures).astype(int))
    cut = [
        views.cut(to_picture(images[index]), card.input, card.geometry, Views.VIEWS_SINGLE)
        for index in indices.tolist()
    ]
    return np.concatenate(cut)


def _copy(card: ModelCard, source: Path, target: Path) -> None:
    """The files that `card` lists, and no others that may lie among them."""
    for file in card.files:
        path = target / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / file.path, path)


def _card(card: ModelCard, quantization: Quantization) -> ModelCard:
    """The card of the new version, but for its measurements and files. Where the network comes from stays as it was."""
    quantized = ModelCard()
    quantized.CopyFrom(card)
    quantized.ClearField("measurements")
    quantized.ClearField("files")
    quantized.quantization.CopyFrom(quantization)
    quantized.quantization.network = NETWORK.as_posix()
    quantized.provenance.published.GetCurrentTime()
    quantized.provenance.versions.update({package: metadata.version(package) for package in ("nncf", "openvino")})
    return quantized
