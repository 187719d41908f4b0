"""Random crops: Krizhevsky, Sutskever and Hinton 2012, section 4.1, "translations and
horizontal reflections".

Stateless: the same seed gives the same crops, in whatever order, thread or process.
"""

import tensorflow as tf


def random_crops(
    canvases: tf.Tensor, side: int, translate: int, mirror: bool, seed: tf.Tensor | tuple[int, int]
) -> tf.Tensor:
    """One crop of each canvas, shifted from the centre by up to `translate` pixels each way,
    and mirrored with probability 1/2 if `mirror`.

    canvases: any dtype [N, height, width, channels]; side: of the crops, in pixels; seed:
    two integers. Returns the same dtype [N, side, side, channels]. Shifts are uniform over
    the (2 * translate + 1)^2 places and independent between pictures.

    Raises ValueError where the canvas has no room for the shift.
    """
    height, width = canvases.shape[1:3]
    top, left = round((height - side) / 2), round((width - side) / 2)
    if not 0 <= translate <= min(top, left, height - side - top, width - side - left):
        raise ValueError(
            f"A crop of {side}x{side} shifted by {translate} pixels stays on its canvas; the canvas has "
            f"{height}x{width}. Widen the canvas, or shift by less."
        )
    pictures = tf.shape(canvases)[0]
    shift_seed, mirror_seed = tf.unstack(tf.random.split(tf.cast(seed, tf.int64), 2))
    shifts = tf.random.stateless_uniform((pictures, 2), shift_seed, -translate, translate + 1, tf.int32)
    steps = tf.range(side)
    rows = top + shifts[:, :1] + steps
    columns = left + shifts[:, 1:] + steps
    if mirror:
        mirrored = tf.random.stateless_uniform((pictures, 1), mirror_seed) < 0.5
        columns = tf.where(mirrored, columns[:, ::-1], columns)
    crops = tf.gather(canvases, rows, axis=1, batch_dims=1)
    return tf.gather(crops, columns, axis=2, batch_dims=1)
