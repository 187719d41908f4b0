"""What every peer serves, in the peer's environment: the same SavedModel, decoding and answer, told by variables.

A request's body is a JPEG or PNG for a single view, or the ten crops as they are; an answer is one float32 a class,
the mean probability over the views. The network is run by our own engine for TensorFlow, which is faster than calling
the SavedModel's signature, and pictures are decoded by Pillow: what is compared is the serving.
"""

import io
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

VARIABLE = "TENCROP_BENCHMARK_SERVED"


class Served(NamedTuple):
    """What to serve, and how."""

    directory: str
    """A version, models/NAME/VERSION."""
    shape: tuple[int, int, int]
    """Of a row: height, width, channels."""
    shorter_side: int
    margin: int
    """See Geometry of protos/model_card.proto."""
    views: int
    """1: pictures are decoded here. Otherwise a request is so many rows."""
    threads: int
    """Of one TensorFlow operation."""
    max_batch_size: int
    """Requests that run together at most."""
    max_wait_seconds: float
    """That a request waits for others to run with it, where the peer has such a time."""

    @classmethod
    def from_environment(cls) -> "Served":
        """What the client side put there."""
        return cls(**json.loads(os.environ[VARIABLE]))

    def to_environment(self) -> dict[str, str]:
        """For a process that serves it."""
        return {VARIABLE: json.dumps(self._asdict())}

    def rows(self, body: bytes) -> NDArray[np.uint8]:
        """uint8 [views, height, width, channels] of one request."""
        if self.views > 1:
            return np.frombuffer(body, np.uint8).reshape(self.views, *self.shape)
        height, width, channels = self.shape
        picture = Image.open(io.BytesIO(body)).convert("L" if channels == 1 else "RGB")
        scale = self.shorter_side / min(picture.size)
        picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BILINEAR)
        samples = np.asarray(picture).reshape(picture.height, picture.width, channels)
        canvas = np.pad(samples, ((self.margin, self.margin), (self.margin, self.margin), (0, 0)))
        top, left = round((canvas.shape[0] - height) / 2), round((canvas.shape[1] - width) / 2)
        return canvas[None, top : top + height, left : left + width]


class Network:
    """The network of `served`, loaded. One a process: TensorFlow sizes its threads once."""

    def __init__(self, served: Served) -> None:
        from serving.models.engines.tensorflow import TensorFlowEngine

        self._engine = TensorFlowEngine(Path(served.directory), threads=served.threads)
        self._views = served.views
        for requests in (1, served.max_batch_size):  # what the first batches cost is not what is compared
            self._engine.run(np.zeros((requests * served.views, *served.shape), np.uint8))

    def answers(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 [requests * views, height, width, channels] -> float32 [requests, classes], mean probabilities."""
        logits = self._engine.run(rows)
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = likely / likely.sum(axis=1, keepdims=True)
        return probabilities.reshape(-1, self._views, probabilities.shape[1]).mean(axis=1)
