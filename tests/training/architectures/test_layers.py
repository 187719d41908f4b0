"""What Keras lacks, against plain numpy and against what Keras has."""

import keras
import numpy as np
import pytest

from tests.training.architectures.small import noise
from training.architectures.layers import GroupedConv2D, LocalResponseNormalization, convolve, max_pool
from training.precision import computing_in


def lrn_by_its_formula(x: np.ndarray, k: float, alpha: float, beta: float) -> np.ndarray:
    """Section 3.3 of AlexNet's paper, a map at a time."""
    out, maps = np.empty_like(x), x.shape[-1]
    for i in range(maps):
        near = x[..., max(0, i - 2) : min(maps - 1, i + 2) + 1]
        out[..., i] = x[..., i] / (k + alpha * (near**2).sum(-1)) ** beta
    return out


@pytest.mark.parametrize(("name", "constants"), [("paper", (2, 1e-4, 0.75)), ("caffe", (1, 1e-4 / 5, 0.75))])
def test_lrn_is_its_formula(name, constants):
    x = 100 * noise(2, side=4, channels=9)
    np.testing.assert_allclose(LocalResponseNormalization(name)(x), lrn_by_its_formula(x, *constants), rtol=1e-5)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lrn_computes_in_float32_and_gives_the_policys_type(precision):
    x = 100 * noise(2, side=4, channels=9)
    with computing_in(precision):
        out = LocalResponseNormalization()(x)
    assert out.dtype == precision
    np.testing.assert_allclose(keras.ops.cast(out, "float32"), lrn_by_its_formula(x, 2, 1e-4, 0.75), rtol=2e-2)


def test_a_grouped_convolution_is_two_convolutions_side_by_side():
    x = noise(2, side=7, channels=6)
    layer = GroupedConv2D(8, 5, padding="same", groups=2, activation="relu", bias_initializer="normal")
    out = layer(x)
    kernel, bias = layer.get_weights()
    assert kernel.shape == (5, 5, 3, 8)
    halves = []
    for half in range(2):
        single = keras.layers.Conv2D(4, 5, padding="same", activation="relu")
        single.build((2, 7, 7, 3))
        single.set_weights([kernel[..., 4 * half : 4 * half + 4], bias[4 * half : 4 * half + 4]])
        halves.append(single(x[..., 3 * half : 3 * half + 3]))
    np.testing.assert_allclose(out, np.concatenate(halves, axis=-1), atol=1e-5)


def test_a_grouped_convolution_is_kerass_own_and_takes_its_weights():
    x = noise(1, side=7, channels=6)
    ours, theirs = (kind(8, 3, padding="same", groups=2) for kind in (GroupedConv2D, keras.layers.Conv2D))
    out = ours(x)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(out, theirs(x), atol=1e-5)


@pytest.mark.parametrize("side", [1, 3, 7])
@pytest.mark.parametrize("size", [13, 14])
def test_a_convolution_that_strides_is_padded_evenly(side, size):
    x = keras.Input((size, size, 2))
    network = keras.Model(x, convolve(x, 3, side, 2, name="conv"))
    pictures = noise(1, side=size, channels=2)
    pad = side // 2
    padded = np.pad(pictures, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    kernel, bias = network.get_weights()
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))[:, ::2, ::2]
    np.testing.assert_allclose(network(pictures), np.einsum("nhwcij,ijcf->nhwf", windows, kernel) + bias, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(7, 7), (8, 8), (7, 8), (8, 7), (2, 2)])
@pytest.mark.parametrize("pooling", ["ceil", "pad"])
def test_pooling_is_caffes_or_torchs(pooling, height, width):
    x = keras.Input((height, width, 1))
    out = keras.Model(x, max_pool(x, "pool", pooling))(picture := np.abs(noise(1, 8)[:, :height, :width, :1]))
    np.testing.assert_array_equal(out[0, ..., 0], pooled_by_hand(picture[0, ..., 0], pooling))


def pooled_by_hand(picture: np.ndarray, pooling: str) -> np.ndarray:
    first, sizes = (0, [-(-(n - 3) // 2) + 1 for n in picture.shape])
    if pooling == "pad":
        first, sizes = (-1, [(n + 2 - 3) // 2 + 1 for n in picture.shape])
    return np.array(
        [
            [picture[max(0, y) : y + 3, max(0, x) : x + 3].max() for x in range(first, first + 2 * sizes[1], 2)]
            for y in range(first, first + 2 * sizes[0], 2)
        ]
    )
