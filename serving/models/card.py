"""The card of a model on disk: reading it, writing it, and holding a model against it.

Pure: no grpc, no TensorFlow. What loads and runs the model is handed in.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from google.protobuf import json_format
from numpy.typing import NDArray
from PIL import Image

from protos.classification_pb2 import Vote
from protos.model_card_pb2 import File, ModelCard
from serving.errors import ModelRejected
from serving.models.engines.engine import Engine, Precision

CARD_PATH = Path("assets.extra", "card.json")
GRAPH_FILE = "saved_model.pb"
"""Of every SavedModel."""

# Largest difference of a golden probability. In float32, what arithmetic on another processor may make; a wrong weight
# or a wrong input scale is far beyond it. With fewer bits, what a clear winner survives, and that it does is asked too.
GOLDEN_TOLERANCES: Mapping[Precision, float] = {"float32": 1e-3, "bfloat16": 0.1, "int8": 0.1}


_WAY_OUT: Mapping[Precision, str] = {
    "float32": "Publish the model again on this machine's versions.",
    "bfloat16": "Serve it with precision: float32.",
    "int8": "Serve it with precision: float32, or quantise it with more pictures.",
}


def read(directory: Path) -> ModelCard:
    """The card of the version in `directory`.

    Raises ModelRejected where there is none, or where it is not a card.
    """
    path = directory / CARD_PATH
    try:
        return json_format.Parse(path.read_bytes(), ModelCard())
    except OSError as error:
        raise ModelRejected(
            f"A model that classifies has a card; {path} cannot be read ({error.strerror}). "
            "Publish the model with `tencrop export`."
        ) from None
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise ModelRejected(f"{path} is not a model card: {error}. Publish the model again.") from error


def write(card: ModelCard, directory: Path) -> None:
    """Writes `card` into the version in `directory`, with its fields in the proto's order."""
    path = directory / CARD_PATH
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json_format.MessageToJson(card, preserving_proto_field_name=True, always_print_fields_with_no_presence=False)
        + "\n"
    )


def describe_files(directory: Path) -> list[File]:
    """Path, size and SHA-256 of every file below `directory` but the card, in order of path."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return [
        File(path=path.relative_to(directory).as_posix(), bytes=path.stat().st_size, sha256=sha256_of(path))
        for path in paths
        if path.relative_to(directory) != CARD_PATH
    ]


def validate(card: ModelCard, directory: Path, load: Callable[[Path], Engine]) -> Engine:
    """Holds the model in `directory` against its card, and returns the engine that `load` made of it.

    Raises ModelRejected at the first thing that does not match: the card's own sense, the files' hashes
    (nothing is loaded before they match), then the answers to the golden inputs. Files that the card
    does not list are left alone.
    """
    check_sense(card)
    check_files(card.files, directory)
    engine = load(directory)
    check_golden_inputs(card, engine)
    return engine


def check_sense(card: ModelCard) -> None:
    """Raises ModelRejected where the card contradicts itself, whatever the model."""
    rules = {
        "an input with height, width and 1 or 3 channels": min(card.input.height, card.input.width) > 0
        and card.input.channels in (1, 3),
        "at least two labels, each once": len(card.labels) == len(set(card.labels)) >= 2,
        "a canvas at least as large as the input": card.geometry.shorter_side > 0
        and card.geometry.shorter_side + 2 * card.geometry.margin >= max(card.input.height, card.input.width),
        "a temperature from 0.001 to 1000": 1e-3 <= card.temperature <= 1e3,
        "a vote": card.vote in Vote.values() and card.vote != Vote.VOTE_UNSPECIFIED,
        "a golden input": len(card.golden_inputs) > 0,
        "as many golden probabilities as labels": all(
            len(golden.probabilities) == len(card.labels) for golden in card.golden_inputs
        ),
        "hashes of the model's files": len(card.files) > 0,
        "its quantised network among its files": not card.HasField("quantization")
        or card.quantization.network in {file.path for file in card.files},
    }
    missing = [rule for rule, holds in rules.items() if not holds]
    if missing:
        raise ModelRejected(f"A card has {'; '.join(missing)}; the card of {card.name!r} has not. Publish it again.")


def check_files(files: Iterable[File], directory: Path) -> None:
    """Raises ModelRejected where a listed file is missing from `directory` or has other bytes."""
    for file in files:
        path = directory / file.path
        if not path.resolve().is_relative_to(directory.resolve()):
            raise ModelRejected(f"A card lists files of its own directory; {file.path!r} is outside {directory}.")
        if not path.is_file():
            raise ModelRejected(f"The card lists {file.path!r}, which {directory} lacks. Copy the whole directory.")
        if path.stat().st_size != file.bytes or sha256_of(path) != file.sha256:
            raise ModelRejected(
                f"The card gives {file.path!r} the SHA-256 {file.sha256[:12]}…; the file in {directory} "
                "has other bytes. Copy the directory again, or publish the changed model as a new version."
            )


def check_golden_inputs(card: ModelCard, engine: Engine) -> None:
    """Raises ModelRejected unless `engine` gives the card's answers to the card's pictures."""
    rows = np.stack([_golden_row(golden.png, card) for golden in card.golden_inputs])
    try:
        logits = engine.run(rows)
    except Exception as error:
        raise ModelRejected(
            f"A model runs on pictures of its card's input, {list(rows.shape[1:])}; this one fails: {error}. "
            "Publish it again with the input that it was trained on."
        ) from error
    if logits.shape != (len(rows), len(card.labels)):
        raise ModelRejected(
            f"The model gives logits of shape {list(logits.shape)} for {len(rows)} pictures; its card has "
            f"{len(card.labels)} labels. Publish the model with the labels it was trained on."
        )
    expected = np.array([golden.probabilities for golden in card.golden_inputs])
    given = softmax(logits)
    drift, allowed = np.abs(given - expected).max(), GOLDEN_TOLERANCES[engine.precision]
    if not drift <= allowed:  # also where it is not a number
        raise ModelRejected(
            f"In {engine.precision}, the model's probabilities for its golden inputs may differ from the card's by "
            f"{allowed}; they differ by {drift:.4f}. {_WAY_OUT[engine.precision]}"
        )
    changed = np.flatnonzero(given.argmax(axis=1) != expected.argmax(axis=1))
    if engine.precision != "float32" and len(changed):
        raise ModelRejected(
            f"In {engine.precision}, the model finds the class of its golden inputs that the card has; of "
            f"{len(expected)} it finds another for {len(changed)}, and probabilities differ by {drift:.4f}. "
            f"{_WAY_OUT[engine.precision]}"
        )


def softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Probabilities over the last axis, as precise as `logits`."""
    exponentials = np.exp(logits - np.maximum.reduce(logits, axis=-1, keepdims=True))
    return exponentials / np.add.reduce(exponentials, axis=-1, keepdims=True)


def _golden_row(png: bytes, card: ModelCard) -> NDArray[np.uint8]:
    shape = (card.input.height, card.input.width, card.input.channels)
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            row = np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:
        raise ModelRejected(f"A golden input is a PNG; one is not: {error}. Publish the model again.") from error
    if row.dtype != np.uint8 or row.size != np.prod(shape):
        raise ModelRejected(f"A golden input has the input's shape {list(shape)}; one has {list(row.shape)}.")
    return row.reshape(shape)


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
