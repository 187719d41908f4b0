"""What of TensorFlow a process has to import, each asked of a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[4]


def prints(program: str) -> str:
    asked = subprocess.run([sys.executable, "-c", program], cwd=TREE, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


@pytest.mark.parametrize("module", ["serving.main", "serving.configured", "serving.commands.serve"])
def test_a_server_is_imported_without_tensorflows_runtime(module):
    program = (
        f"import sys, {module}; print([each for each in ('tensorflow', 'tensorflow.python') if each in sys.modules])"
    )
    assert prints(program) == "[]\n"


def test_an_engine_of_tensorflow_is_loaded_without_tensorflows_front(models_root):
    directory = str(models_root / "shades" / "1")
    program = (
        "import sys, pathlib, numpy; from serving.models.engines.tensorflow import TensorFlowEngine\n"
        f"engine = TensorFlowEngine(pathlib.Path({directory!r}))\n"
        "engine.close(); print('tensorflow' in sys.modules)"
    )
    assert prints(program) == "False\n"


def test_tensorflow_is_whole_for_who_imports_it_later():
    program = (
        "from serving.doors.tf_serving.apis import TensorProto\n"
        "import tensorflow as tf\n"
        "print(isinstance(tf.make_tensor_proto([1]), TensorProto), float(tf.reduce_sum(tf.ones(3))))"
    )
    assert prints(program) == "True 3.0\n"
