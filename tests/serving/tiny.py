"""Real SavedModels, small enough to make in half a second, whose every answer numpy can foretell.

A tiny model is linear: logits are whole-number sums of pixels over 2,048, which float32 holds exactly.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from protos import classification_pb2 as pb
from protos.model_card_pb2 import Geometry, GoldenInput, Input, ModelCard
from serving.models import card as cards

LABELS = ("ankle boot", "bag", "coat", "dress", "sandal", "shirt")
_SCALE = 2048.0


@dataclass(frozen=True)
class TinyModel:
    """What a version is made of."""

    name: str
    version: int
    seed: int
    side: int = 12
    channels: int = 3
    shorter_side: int = 16
    margin: int = 1
    temperature: float = 1.0
    vote: int = pb.VOTE_MEAN_PROBABILITY
    dense: bool = False

    @property
    def input_shape(self) -> tuple[int, int, int]:
        return self.side, self.side, self.channels

    @property
    def weights(self) -> np.ndarray:
        """Whole numbers [samples of a row, classes]."""
        rows = self.side * self.side * self.channels
        return np.random.default_rng(self.seed).integers(-3, 4, (rows, len(LABELS)))

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """float64 [N, classes], before the temperature: what the graph computes."""
        return rows.reshape(len(rows), -1).astype(np.int64) @ self.weights / _SCALE

    def dense_logits(self, canvas: np.ndarray) -> np.ndarray:
        """float64 [classes] of one canvas [height, width, channels]: the mean over all of its crops."""
        places = [range(room - self.side + 1) for room in canvas.shape[:2]]
        crops = [canvas[top : top + self.side, left : left + self.side] for top in places[0] for left in places[1]]
        return self.logits(np.stack(crops)).mean(axis=0)

    def card(self) -> ModelCard:
        """A card with golden inputs, but without files."""
        golden = np.random.default_rng(1).integers(0, 256, (2, *self.input_shape), np.uint8)
        return ModelCard(
            name=self.name,
            input=Input(height=self.side, width=self.side, channels=self.channels),
            labels=LABELS,
            geometry=Geometry(shorter_side=self.shorter_side, margin=self.margin),
            temperature=self.temperature,
            vote=self.vote,
            dense=self.dense,
            golden_inputs=[
                GoldenInput(png=_png(row), probabilities=scores)
                for row, scores in zip(golden, cards.softmax(self.logits(golden)), strict=True)
            ],
        )

    def publish(self, root: Path, gate: Path | None = None) -> Path:
        """Writes the SavedModel and its card below `root`. Returns the version's directory.

        With a `gate`, a batch with an all-white row is computed only once that file exists.
        """
        directory = root / self.name / str(self.version)
        _save(self, directory, gate)
        card = self.card()
        card.files.extend(cards.describe_files(directory))
        cards.write(card, directory)
        return directory


def _png(row: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(row.squeeze(axis=2) if row.shape[2] == 1 else row).save(file, "PNG")
    return file.getvalue()


def _save(model: TinyModel, directory: Path, gate: Path | None) -> None:
    import tensorflow as tf

    class Linear(tf.Module):
        def __init__(self) -> None:
            self.weights = tf.Variable(model.weights.astype(np.float32))

        @tf.function(input_signature=[tf.TensorSpec([None, *model.input_shape], tf.uint8, name="pictures")])
        def serve(self, pictures):
            rows = tf.reshape(tf.cast(pictures, tf.float32), [-1, int(np.prod(model.input_shape))])
            if gate:
                rows += 0.0 * tf.cast(_wait_for(gate, rows), tf.float32)
            return {"logits": rows @ self.weights / _SCALE, "rows": tf.identity(rows)}

        @tf.function(input_signature=[tf.TensorSpec([None, None, None, model.channels], tf.uint8, name="pictures")])
        def serve_densely(self, pictures):
            kernel = tf.reshape(self.weights, [*model.input_shape, len(LABELS)])
            sums = tf.nn.conv2d(tf.cast(pictures, tf.float32), kernel, 1, "VALID")
            return {"logits": tf.reduce_mean(sums, axis=[1, 2]) / _SCALE}

    linear = Linear()
    dense = {"dense": linear.serve_densely} if model.dense else {}
    tf.saved_model.save(linear, str(directory), signatures={"serving_default": linear.serve, **dense})


def _wait_for(gate: Path, rows):
    """How often the gate was looked at, until it was open."""
    import tensorflow as tf

    held = tf.reduce_any(tf.reduce_min(rows, axis=1) == 255)

    def is_shut(turn):
        # The turn has a part in the name, an empty one, so that the file is looked for in every turn.
        name = tf.strings.join([str(gate), tf.strings.substr(tf.as_string(turn), 0, 0)])
        return tf.logical_and(held, tf.equal(tf.size(tf.io.matching_files(name)), 0))

    return tf.while_loop(is_shut, lambda turn: [turn + 1], [tf.constant(0, tf.int64)])[0]
