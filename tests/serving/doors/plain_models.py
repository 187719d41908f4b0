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
            "longest": module.longest,
            "classify_x": module.classify,
        },
    )
    return directory


ECHO = "echo"
"""A model that gives every tensor back; of no type there is more than two elements, and so no batches."""
NUMBERS = {
    "BOOL": tf.bool,
    "UINT8": tf.uint8,
    "UINT16": tf.uint16,
    "UINT32": tf.uint32,
    "UINT64": tf.uint64,
    "INT8": tf.int8,
    "INT16": tf.int16,
    "INT32": tf.int32,
    "INT64": tf.int64,
    "FP16": tf.float16,
    "FP32": tf.float32,
    "FP64": tf.float64,
    "BF16": tf.bfloat16,
}
"""Its inputs but for the strings, BYTES, by the name that the Open Inference Protocol has for their types."""


def save_echo(root: Path) -> Path:
    """Its version 1."""
    specs = [tf.TensorSpec([2], dtype, name) for name, dtype in {**NUMBERS, "BYTES": tf.string}.items()]

    def give_back(**given):
        return {**{name: tf.identity(tensor) for name, tensor in given.items()}, "first": given["BYTES"][0]}

    return _save_default(root / ECHO / "1", give_back, specs)


def save_complex(root: Path) -> Path:
    """A model of numbers that the Open Inference Protocol has not."""
    specs = [tf.TensorSpec(None, tf.complex64, "z")]
    return _save_default(root / "complex" / "1", lambda z: {"conjugate": tf.math.conj(z)}, specs)


def save_nameless(root: Path) -> Path:
    """A model without a default signature."""
    module = tf.Module()
    module.double = tf.function(lambda x: {"y": 2 * x}, [tf.TensorSpec([], tf.float32, "x")])
    tf.saved_model.save(module, str(root / "nameless" / "1"), signatures={"double": module.double})
    return root / "nameless" / "1"


def _save_default(directory: Path, call, specs: list[tf.TensorSpec]) -> Path:
    module = tf.Module()
    module.call = tf.function(call)
    default = module.call.get_concrete_function(**{spec.name: spec for spec in specs})
    tf.saved_model.save(module, str(directory), signatures={"serving_default": default})
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

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
    def longest(self, texts):
        return {"longest": texts[tf.argmax(tf.strings.length(texts))]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(self, inputs):
        x = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]
        return {"classes": tf.tile([["small", "large"]], [tf.size(x), 1]), "scores": tf.concat([-x, x], axis=1)}
