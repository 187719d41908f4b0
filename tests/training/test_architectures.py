import keras
import numpy as np
import pytest

from training import architectures
from training.errors import UnknownName
from training.precision import computing_in


def test_lenet5_has_the_parameters_of_the_lecture():
    network = architectures.build("lenet5", classes=10, input_shape=(32, 32, 1))
    assert network.count_params() == 61_706


def test_lenet5_is_made_of_the_papers_layers():
    network = architectures.build("lenet5", classes=10)
    named = [layer.name for layer in network.layers if layer.name not in ("pictures", "flatten")]
    assert [name for name in named if not name.startswith("flatten")] == ["c1", "s2", "c3", "s4", "c5", "f6", "output"]
    sides = [network.get_layer(name).output.shape[1:] for name in ("c1", "s2", "c3", "s4")]
    assert sides == [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16)]


def test_every_architecture_gives_float32_logits_under_mixed_precision():
    for name in architectures.FAMILIES:
        with computing_in("bfloat16"):
            network = architectures.build(name, classes=7, input_shape=(32, 32, 3))
        logits = network(np.zeros((2, 32, 32, 3), np.float32))
        assert (logits.dtype, logits.shape) == ("float32", (2, 7))
        assert network.layers[1].compute_dtype == "bfloat16"


def test_precision_is_afterwards_as_it_was_before():
    before = keras.config.dtype_policy().name
    with pytest.raises(RuntimeError), computing_in("bfloat16"):
        raise RuntimeError
    assert keras.config.dtype_policy().name == before


def test_an_unknown_architecture_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match=r"'lenet' came.*Did you mean 'lenet5'"):
        architectures.build("lenet")
