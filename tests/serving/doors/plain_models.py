"""Plain SavedModels as any program of TensorFlow's writes them: a tf.Module, several signatures, no card, no Keras."""

from pathlib import Path

import tensorflow as tf

NAME = "texts"


def save(root: Path, version: int) -> Path:
    """A version of `texts`, whose answers hold its number. Returns its directory."""
    directory = root / NAME / str(version)
    module = _Texts(version)
    tf.saved_model.save(
        module,
        str(directory),
        signatures={
            "serving_default": module.count,
            "lengths": module.lengths,
            "classify_x": module.classify,
        },
    )
    return directory


def save_unsafe(root: Path, version: int) -> Path:
    """One that reads a file whenever it is asked."""
    directory = root / NAME / str(version)
    module = tf.Module()
    module.read = tf.function(lambda name: {"content": tf.io.read_file(name)}, [tf.TensorSpec([], tf.string, "name")])
    tf.saved_model.save(module, str(directory), signatures={"serving_default": module.read})
    return directory


class _Texts(tf.Module):
    def __init__(self, version: int) -> None:
        self.step = tf.Variable(version, dtype=tf.int64)
        self.scale = tf.Variable(0.5, dtype=tf.float64)

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.int64, "numbers"), tf.TensorSpec([None, 2], tf.float64, "points")]
    )
    def count(self, numbers, points):
        return {"numbers": numbers + self.step, "logits": tf.reduce_sum(points, axis=1) * self.scale}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
    def lengths(self, texts):
        return {"lengths": tf.strings.length(texts), "texts": tf.strings.upper(texts), "any": tf.size(texts) > 0}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(self, inputs):
        x = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]
        return {"classes": tf.tile([["small", "large"]], [tf.size(x), 1]), "scores": tf.concat([-x, x], axis=1)}
