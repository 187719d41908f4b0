"""LeNet-5, modern and of 1998."""

import numpy as np
import pytest

from tests.training.architectures.outlines import outlined, shape
from tests.training.architectures.small import noise
from training import architectures
from training.architectures.cost import layer_table
from training.architectures.layers_of_1998 import ConnectedConv2D, NegativeDistance, Subsampling, scaled_tanh
from training.architectures.lenet import TABLE_1
from training.architectures.prototypes import prototypes


def test_lenet5_is_made_of_the_papers_layers():
    network = outlined("lenet5")
    assert [each.name for each in network.layers if not each.name.startswith("flatten")] == [
        *("pictures", "c1", "s2", "c3", "s4", "c5", "f6", "output")
    ]
    assert [shape(network, name) for name in ("c1", "s2", "c3", "s4")] == [
        *((28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16))
    ]


def test_the_network_of_1998_has_the_papers_parameters_layer_by_layer():
    counted = {row.name: row.parameters for row in layer_table(outlined("lenet5-1998")) if row.parameters}
    assert counted == {"c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164}


def test_the_scaled_tanh_keeps_one_and_minus_one():
    np.testing.assert_allclose(scaled_tanh(np.float32([-1, 0, 1])), [-1, 0, 1], atol=1e-4)


def test_subsampling_is_a_weighted_sum_of_four_through_the_scaled_tanh():
    x, layer = noise(2, side=6, channels=3), Subsampling()
    layer.build(x.shape)
    coefficient, bias = np.float32([0.1, -0.2, 0.3]), np.float32([0.0, 0.5, -1.0])
    layer.set_weights([coefficient, bias])
    sums = x.reshape(2, 3, 2, 3, 2, 3).sum((2, 4))
    expected = 1.7159 * np.tanh(2 / 3 * (sums * coefficient + bias))
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_a_map_sees_the_maps_that_the_table_gives_it_and_no_other():
    layer, x = ConnectedConv2D(TABLE_1, 5), noise(1, side=5, channels=6)
    before = np.array(layer(x))[0, 0, 0]
    for source in range(6):
        changed = x.copy()
        changed[..., source] += 1
        moved = np.abs(np.array(layer(changed))[0, 0, 0] - before) > 0
        assert list(moved) == [source in row for row in TABLE_1]


def test_a_full_table_is_an_ordinary_convolution():
    x = noise(2, side=8, channels=2)
    layer = ConnectedConv2D([(0, 1)] * 3, 5)
    layer.build(x.shape)
    kernel, bias = layer.get_weights()
    whole = kernel.reshape(5, 5, 3, 2).swapaxes(2, 3)  # pairs run over sources within a map
    windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), axis=(1, 2))
    expected = scaled_tanh(np.einsum("nhwcij,ijcf->nhwf", windows, whole) + bias)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_the_first_weights_are_within_the_papers_bounds():
    layer = ConnectedConv2D(TABLE_1, 5)
    layer.build((None, 14, 14, 6))
    fan_in = np.repeat([25 * len(row) for row in TABLE_1], [len(row) for row in TABLE_1])
    reached = np.abs(layer.get_weights()[0]).max((0, 1)) * fan_in / 2.4
    assert reached.max() <= 1
    assert reached.min() > 0.5


def test_logits_are_distances_from_the_digits_negated():
    x = prototypes(10, 84)
    logits = np.array(NegativeDistance(10)(x))
    assert list(logits.argmax(1)) == list(range(10))
    np.testing.assert_array_equal(logits, -((x[:, None] - x) ** 2).sum(-1))


@pytest.mark.parametrize("classes", [3, 10, 100])
def test_every_class_has_a_code_of_its_own_and_always_the_same(classes):
    codes = prototypes(classes, 84)
    assert (codes.shape, codes.dtype, set(codes.ravel())) == ((classes, 84), np.float32, {-1, 1})
    assert len(np.unique(codes, axis=0)) == classes
    np.testing.assert_array_equal(codes, prototypes(classes, 84))


def test_the_codes_are_not_trained():
    output = architectures.build("lenet5-1998", 10).get_layer("output")
    assert output.trainable_variables == []
    assert len(output.weights) == 1
