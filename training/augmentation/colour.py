"""Colour along the principal components of RGB pixels: Krizhevsky, Sutskever and Hinton 2012, section 4.1.

The paper adds to each pixel the sum over i of p_i * a_i * lambda_i: p and lambda are eigenvectors and
eigenvalues of the covariance of RGB pixels, and a_i ~ N(0, 0.1) is drawn once a picture. An eigenvalue
goes with the square of the unit that pixels are counted in, so the unit matters. Here it is the whole
range, black 0 and white 1, as in Torch's ResNet; counted in 255 levels the same words would shift
ImageNet by 1,400 of them. (The authors' own cuda-convnet2 multiplies by what it calls standard deviations:
for that, give Colours their square roots.)

Stateless: the same seed gives the same draws, in whatever order, thread or process.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.augmentation.seeds import Seed, whole


class Colours(NamedTuple):
    """The principal components of RGB pixels from 0 to 1, the strongest first."""

    vectors: NDArray[np.float32]
    """[3, 3], one a column."""

    eigenvalues: NDArray[np.float32]
    """[3], the variance along each."""


IMAGENET = Colours(
    np.array(
        [
            [-0.5675, 0.7192, 0.4009],
            [-0.5808, -0.0045, -0.8140],
            [-0.5836, -0.6948, 0.4203],
        ],
        np.float32,
    ),
    np.array([0.2175, 0.0188, 0.0045], np.float32),
)
"""Of a random subset of ImageNet's training pictures, as fb.resnet.torch has them (datasets/imagenet.lua)."""


def principal_colours(pictures: Iterable[NDArray[Any]]) -> Colours:
    """The colours of a sample: each of `pictures` is uint8, or float from 0 to 1, [height, width, 3].

    They may be of many sizes and come one at a time; every pixel counts alike.
    """
    count, total, products = 0, np.zeros(3), np.zeros((3, 3))
    for picture in pictures:
        white = 255 if picture.dtype == np.uint8 else 1
        pixels = picture.reshape(-1, 3).astype(np.float64) / white
        count += len(pixels)
        total += pixels.sum(axis=0)
        products += pixels.T @ pixels
    mean = total / count
    eigenvalues, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
    # An eigenvector's sign is the library's whim; towards white, it is the same everywhere.
    vectors *= np.where(vectors.sum(axis=0) < 0, -1, 1)
    return Colours(vectors[:, ::-1].astype(np.float32), eigenvalues[::-1].clip(0).astype(np.float32))


def pca_colour(pictures: tf.Tensor, colours: Colours, deviation: float, seed: Seed) -> tf.Tensor:
    """The pictures, each shifted in colour at random, all its pixels alike.

    pictures: uint8, or float from 0 to 1, [N, height, width, 3]; deviation: of a_i, 0.1 in the paper.
    Returns the same shape and dtype. uint8 is rounded and stays from 0 to 255; float may leave 0 to 1,
    as it does in the paper.

    Raises ValueError for pictures without three channels.
    """
    pictures = tf.convert_to_tensor(pictures)
    if pictures.shape[-1] != 3:
        raise ValueError(
            f"Principal colours are of RGB, [N, height, width, 3]; {tuple(pictures.shape)} came. "
            "Leave them out for grey pictures."
        )
    strengths = deviation * tf.random.stateless_normal((tf.shape(pictures)[0], 3), whole(seed))
    shifts = tf.matmul(strengths * colours.eigenvalues, colours.vectors, transpose_b=True)[:, None, None]
    if pictures.dtype != tf.uint8:
        return pictures + tf.cast(shifts, pictures.dtype)
    # In 16 bits, where a sum has room.
    levels = tf.cast(tf.round(255 * shifts), tf.int16)
    return tf.cast(tf.clip_by_value(tf.cast(pictures, tf.int16) + levels, 0, 255), tf.uint8)
