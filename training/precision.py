"""The type that layers compute in."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras


@contextmanager
def computing_in(mixed_precision: str) -> Iterator[None]:
    """Layers built inside the block compute in `mixed_precision` ("off", "bfloat16" or "float16")
    and keep float32 weights; Keras' global policy is afterwards as it was before.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if mixed_precision == "off" else f"mixed_{mixed_precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
