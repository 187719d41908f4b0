"""What makes random draws repeatable: two whole numbers, from which others are made."""

import tensorflow as tf

Seed = tf.Tensor | tuple[int, int]


def whole(seed: Seed) -> tf.Tensor:
    """int64 [2], whatever integers came."""
    return tf.cast(seed, tf.int64)


def split(seed: Seed, parts: int) -> list[tf.Tensor]:
    """`parts` seeds, int64 [2] each, whose draws are independent of each other."""
    return tf.unstack(tf.random.split(whole(seed), parts))
