"""Fields, strides and counts of layers."""

import pytest

from tests.training.architectures.outlines import outlined
from training.architectures.cost import layer_table, multiply_adds, parameters


@pytest.mark.parametrize(
    ("name", "layer", "field"),
    [
        ("lenet5", "s4", (16, 4)),
        ("lenet5-1998", "c5", (32, 4)),
        ("alexnet", "conv1", (11, 4)),
        ("alexnet", "pool5", (195, 32)),
        ("vgg-d", "conv1_2", (5, 1)),
        ("vgg-d", "pool5", (212, 32)),
        ("vgg-d", "fc6", (404, None)),
        ("resnet50", "pool1", (11, 4)),
        ("resnet18", "conv5_2", (435, 32)),
        ("resnet20", "conv2_3", (15, 1)),
        ("googlenet", "inception_3a", (59, 8)),
    ],
)
def test_a_layer_sees_so_much_of_the_picture(name, layer, field):
    assert {row.name: tuple(row.field) for row in layer_table(outlined(name))}[layer] == field


def test_a_table_adds_up_to_the_network():
    network = outlined("lenet5-1998")
    rows = layer_table(network)
    assert [row.name for row in rows] == ["pictures", "c1", "s2", "c3", "s4", "c5", "flatten", "f6", "output"]
    assert sum(row.parameters for row in rows) == parameters(network) == 60_000
    assert sum(row.multiply_adds for row in rows) == multiply_adds(network) == 325_680 + 840


def test_a_row_says_what_a_layer_is():
    row = next(row for row in layer_table(outlined("alexnet")) if row.name == "conv2")
    assert (row.kind, row.shape, row.parameters) == ("GroupedConv2D", (27, 27, 256), 307_456)
    assert row.multiply_adds == 27 * 27 * 256 * 25 * 48


def test_auxiliary_heads_have_fields_of_their_own():
    fields = {row.name: row.field for row in layer_table(outlined("googlenet", training_heads=True))}
    assert fields["aux1_pool"] == (171 + 4 * 16, 48)
    assert fields["aux1_linear"].stride is None
