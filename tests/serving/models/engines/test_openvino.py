"""The OpenVINO engine, on real SavedModels: what the graph computes, and which graphs it refuses."""

import subprocess
import sys
import threading

import numpy as np
import openvino
import pytest

from serving.errors import ModelRejected
from serving.models.engines.openvino import OpenVINOEngine
from tests.serving.choir import GREYS, SHADES_1
from tests.serving.tiny import TinyModel


@pytest.mark.parametrize("model", [SHADES_1, GREYS], ids=["rgb", "grey"])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_logits_are_the_graphs(models_root, model, count):
    engine = OpenVINOEngine(models_root / model.name / "1")
    rows = np.random.default_rng(0).integers(0, 256, (count, *model.input_shape), np.uint8)
    logits = engine.run(rows)
    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits, model.logits(rows).astype(np.float32))


def test_rows_that_may_not_be_written_to_are_run(models_root):
    rows = np.frombuffer(bytes(range(256)) * 27, np.uint8).reshape(16, *SHADES_1.input_shape)
    logits = OpenVINOEngine(models_root / "shades" / "1").run(rows)
    np.testing.assert_array_equal(logits, SHADES_1.logits(rows).astype(np.float32))


@pytest.mark.parametrize("streams", [1, 2])
def test_threads_that_share_an_engine_get_their_own_answers(models_root, streams):
    engine = OpenVINOEngine(models_root / "shades" / "1", batches_in_flight=streams)
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


def test_answers_stay_what_they_were_while_the_engine_goes_on(models_root):
    engine = OpenVINOEngine(models_root / "shades" / "1")
    rows = np.random.default_rng(0).integers(0, 256, (2, *SHADES_1.input_shape), np.uint8)
    first = engine.run(rows)
    engine.run(255 - rows)
    np.testing.assert_array_equal(first, SHADES_1.logits(rows).astype(np.float32))


def test_rows_need_not_lie_together(models_root):
    engine = OpenVINOEngine(models_root / "shades" / "1")
    rows = np.random.default_rng(0).integers(0, 256, (2, *SHADES_1.input_shape), np.uint8)[:, ::-1, ::-1]
    np.testing.assert_array_equal(engine.run(rows), SHADES_1.logits(rows).astype(np.float32))


def test_rows_may_be_read_only(models_root):
    engine = OpenVINOEngine(models_root / "shades" / "1")
    rows = np.random.default_rng(0).integers(0, 256, (2, *SHADES_1.input_shape), np.uint8)
    rows.flags.writeable = False
    np.testing.assert_array_equal(engine.run(rows), SHADES_1.logits(rows).astype(np.float32))


def test_a_precision_that_the_processor_lacks_is_not_claimed(models_root):
    engine = OpenVINOEngine(models_root / "shades" / "1", "bfloat16")
    has = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert engine.precision == ("bfloat16" if has else "float32")


def test_a_network_with_operations_that_openvino_lacks_is_refused_with_the_way_out(tmp_path):
    version = TinyModel("gated", 1, seed=1).publish(tmp_path, gate=tmp_path / "gate")
    with pytest.raises(ModelRejected, match="Serve it with engine: tensorflow"):
        OpenVINOEngine(version)


def test_a_directory_without_a_saved_model_is_refused(tmp_path):
    with pytest.raises(ModelRejected, match="is none"):
        OpenVINOEngine(tmp_path)


def test_nothing_is_reported_to_anybody_and_nothing_is_left_at_home(tmp_path):
    code = (
        "import sys, serving.models.engines.openvino; print([each for each in sys.modules if 'openvino_tel' in each])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "[]\n"
    assert not list(tmp_path.iterdir())


def test_a_file_in_a_format_that_names_further_files_is_refused_whatever_it_is_called(tmp_path):
    network = tmp_path / "network.xml"
    network.write_bytes(b"\x08\x07\x12\x04onnx")
    with pytest.raises(ModelRejected, match=r"is none\. Write the version with `tencrop quantize`"):
        OpenVINOEngine(network)
