"""The toy model of TensorFlow Serving's documentation, half of x plus three, and signatures of every other make."""

from pathlib import Path

import tensorflow as tf

NAME, VERSION = "half_plus_three", 123


def save(directory: Path) -> None:
    """Writes the SavedModel."""
    tf.saved_model.save(module := _HalfPlusThree(), str(directory), signatures=_signatures(module))


class _HalfPlusThree(tf.Module):
    def __init__(self) -> None:
        self.a, self.b = tf.Variable(0.5), tf.Variable(3.0)

    def __call__(self, x):
        return self.a * x + self.b


def _signatures(half: _HalfPlusThree) -> dict:
    def taking(**inputs):
        return tf.function(input_signature=[tf.TensorSpec(*spec, name=name) for name, spec in inputs.items()])

    def x_of(examples):
        return tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]

    @taking(x=([None], tf.float32))
    def serving_default(x):
        return {"y": half(x)}

    @taking(inputs=([None], tf.string))
    def regress(inputs):
        return {"outputs": half(x_of(inputs))}

    @taking(inputs=([None], tf.string))
    def classify(inputs):
        y = half(x_of(inputs))
        names = tf.constant([["small", "large"]])
        return {"classes": tf.tile(names, [tf.size(y), 1]), "scores": tf.concat([-y, y], axis=1)}

    @taking(inputs=([None], tf.string))
    def classify_besides(inputs):
        y = half(x_of(inputs))
        return {"scores": tf.concat([-y, y], axis=1), "embedding": y}

    @taking(inputs=([None], tf.string))
    def classify_by_number(inputs):
        return {"classes": tf.cast(x_of(inputs), tf.int64)}

    @taking(inputs=([None], tf.string))
    def regress_in_double(inputs):
        return {"outputs": tf.cast(half(x_of(inputs)), tf.float64)}

    @taking(tag=([None], tf.string), signal=([None, 2], tf.int64), sensor=([None], tf.float64))
    def readings(tag, signal, sensor):
        return {"tag": tag, "raw_bytes": tag, "total": tf.reduce_sum(signal, axis=1), "sensor": sensor}

    @taking(x=([None], tf.float32))
    def sum_up(x):
        return {"sum": tf.reduce_sum(half(x))}

    @taking(x=([None], tf.int32), y=([None], tf.int32))
    def gather(x, y):
        return {"found": tf.gather(x, y)}

    return {
        "serving_default": serving_default,
        "tensorflow/serving/regress": regress,
        "classify_x": classify,
        "classify_besides": classify_besides,
        "classify_by_number": classify_by_number,
        "regress_in_double": regress_in_double,
        "readings": readings,
        "sum_up": sum_up,
        "gather": gather,
    }
