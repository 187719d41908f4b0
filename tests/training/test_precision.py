import keras
import pytest

from training.precision import computing_in


def test_precision_is_afterwards_as_it_was_before():
    before = keras.config.dtype_policy().name
    with pytest.raises(RuntimeError), computing_in("bfloat16"):
        raise RuntimeError
    assert keras.config.dtype_policy().name == before
