"""The TensorFlow engine, on real SavedModels: what the graph computes, and which graphs it refuses."""

import threading

import numpy as np
import pytest
import tensorflow as tf

from serving.errors import ModelRejected
from serving.models.engines.tensorflow import TensorFlowEngine
from tests.serving.choir import GREYS, SHADES_1


@pytest.mark.parametrize("model", [SHADES_1, GREYS], ids=["rgb", "grey"])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_logits_are_the_graphs(models_root, model, count):
    engine = TensorFlowEngine(models_root / model.name / "1")
    rows = np.random.default_rng(0).integers(0, 256, (count, *model.input_shape), np.uint8)
    logits = engine.run(rows)
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits, model.logits(rows).astype(np.float32))


def test_threads_that_share_an_engine_get_their_own_answers(models_root):
    engine = TensorFlowEngine(models_root / "shades" / "1")
    right = []

    def ask(seed):
        rows = np.random.default_rng(seed).integers(0, 256, (2, *SHADES_1.input_shape), np.uint8)
        right.append(all((engine.run(rows) == SHADES_1.logits(rows).astype(np.float32)).all() for _ in range(20)))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 4


def signature(shape, dtype, output):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(shape, dtype, name="pictures")])
        def serve(self, pictures):
            return {output: tf.cast(tf.reshape(pictures, [tf.shape(pictures)[0], -1]), tf.float32)}

    module = Module()
    return module, module.serve


@pytest.mark.parametrize(
    ("shape", "dtype", "output"),
    [([None, 2, 2, 1], tf.float32, "logits"), ([None, 4], tf.uint8, "logits"), ([None, 2, 2, 1], tf.uint8, "scores")],
    ids=["float input", "flat input", "no logits"],
)
def test_a_signature_of_another_form_is_refused(tmp_path, shape, dtype, output):
    module, serve = signature(shape, dtype, output)
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": serve})
    with pytest.raises(ModelRejected, match="takes one uint8 tensor"):
        TensorFlowEngine(tmp_path)


def test_a_saved_model_without_a_signature_is_refused(tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(ModelRejected, match="'serving_default'"):
        TensorFlowEngine(tmp_path)


def test_a_directory_without_a_saved_model_is_refused(tmp_path):
    with pytest.raises(ModelRejected, match="A version is a SavedModel"):
        TensorFlowEngine(tmp_path)
