"""Layers are called and shaped as in the papers."""

import numpy as np
import pytest

from tests.training.architectures.outlines import outlined, shape
from tests.training.architectures.small import build_small, noise
from training.architectures.resnet import PaddedShortcut


def convolutions(network) -> list[str]:
    return [layer.name for layer in network.layers if type(layer).__name__ in ("Conv2D", "GroupedConv2D")]


def kinds(network) -> dict[str, str]:
    return {layer.name: type(layer).__name__ for layer in network.layers}


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        (
            "alexnet",
            {
                "conv1": (55, 55, 96),
                "pool1": (27, 27, 96),
                "conv2": (27, 27, 256),
                "pool5": (6, 6, 256),
                "fc7": (4096,),
            },
        ),
        ("zfnet", {"conv1": (110, 110, 96), "pool1": (55, 55, 96), "conv2": (26, 26, 256), "pool5": (6, 6, 512)}),
        ("vgg-d", {"conv1_2": (224, 224, 64), "conv3_3": (56, 56, 256), "pool5": (7, 7, 512), "fc8": (1000,)}),
        (
            "googlenet",
            {
                "conv1": (112, 112, 64),
                "pool1": (56, 56, 64),
                "pool2": (28, 28, 192),
                "inception_3b": (28, 28, 480),
                "inception_4e": (14, 14, 832),
                "inception_5b": (7, 7, 1024),
            },
        ),
        (
            "resnet50",
            {"conv1": (112, 112, 64), "conv2_3": (56, 56, 256), "conv4_6": (14, 14, 1024), "conv5_3": (7, 7, 2048)},
        ),
        ("resnet110", {"conv2_18": (32, 32, 16), "conv3_18": (16, 16, 32), "conv4_18": (8, 8, 64)}),
        (
            "densenet121",
            {"dense1_6": (56, 56, 256), "transition1_pool": (28, 28, 128), "dense4_16": (7, 7, 1024)},
        ),
        ("densenet40-k12", {"conv1": (32, 32, 16), "dense3_12": (8, 8, 448)}),
        ("densenet-bc100-k12", {"conv1": (32, 32, 24), "dense3_16": (8, 8, 342)}),
    ],
)
def test_maps_are_as_large_as_in_the_paper(name, shapes):
    network = outlined(name)
    assert {layer: shape(network, layer) for layer in shapes} == shapes


def test_alexnets_groups_are_in_the_layers_that_the_two_gpus_do_not_share():
    network = outlined("alexnet")
    grouped = [name for name, kind in kinds(network).items() if kind == "GroupedConv2D"]
    assert grouped == ["conv2", "conv4", "conv5"]
    assert "GroupedConv2D" not in kinds(outlined("alexnet", groups=1)).values()


def test_alexnet_normalises_before_pooling_and_zfnet_after():
    order = list(kinds(outlined("alexnet")))
    assert order[1:7] == ["conv1", "norm1", "pool1", "conv2", "norm2", "pool2"]
    order = [name for name in kinds(outlined("zfnet")) if not name.endswith("_pad")]
    assert order[1:7] == ["conv1", "pool1", "norm1", "conv2", "pool2", "norm2"]


@pytest.mark.parametrize("name", ["alexnet", "zfnet", "vgg-a-lrn", "googlenet"])
def test_normalisation_over_maps_can_be_left_out(name):
    assert "norm1" in kinds(outlined(name))
    assert "LocalResponseNormalization" not in kinds(outlined(name, lrn="off")).values()


def test_vgg_c_ends_its_last_stages_with_1x1_filters():
    network = outlined("vgg-c")
    sides = {name: network.get_layer(name).kernel_size[0] for name in convolutions(network)}
    assert [name for name, side in sides.items() if side == 1] == ["conv3_3", "conv4_3", "conv5_3"]
    assert len(sides) == 13


@pytest.mark.parametrize(("name", "count"), [("vgg-a", 8), ("vgg-b", 10), ("vgg-d", 13), ("vgg-e", 16)])
def test_vgg_has_its_number_of_layers(name, count):
    assert len(convolutions(outlined(name))) == count


def test_auxiliary_heads_are_there_in_training_only_and_hang_on_4a_and_4d():
    assert not any(layer.name.startswith("aux") for layer in outlined("googlenet").layers)
    network = outlined("googlenet", training_heads=True)
    assert {name: each.shape for name, each in network.output.items()} == {
        "linear": (None, 1000),
        "aux1_linear": (None, 1000),
        "aux2_linear": (None, 1000),
    }
    for head, module in (("aux1", "inception_4a"), ("aux2", "inception_4d")):
        assert network.get_layer(f"{head}_pool").input is network.get_layer(module).output
        assert shape(network, f"{head}_pool") == (4, 4, network.get_layer(module).output.shape[-1])


def test_batch_normalisation_takes_the_place_of_biases_and_of_normalisation_over_maps():
    network = outlined("googlenet", batch_norm=True, bn_epsilon=1e-4)
    assert not any(network.get_layer(name).use_bias for name in convolutions(network))
    assert "norm1" not in kinds(network)
    assert network.get_layer("conv1_bn").epsilon == 1e-4


@pytest.mark.parametrize(("v1_5", "strides"), [(False, (2, 1)), (True, (1, 2))])
def test_a_bottleneck_strides_where_its_version_says(v1_5, strides):
    network = outlined("resnet50", v1_5=v1_5)
    assert tuple(network.get_layer(f"conv3_1_{n}").strides[0] for n in (1, 2)) == strides


def test_option_b_projects_only_where_shapes_differ():
    for name, projected in (("resnet34", {3, 4, 5}), ("resnet50", {2, 3, 4, 5})):
        shortcuts = [each for each in convolutions(outlined(name)) if each.endswith("_shortcut")]
        assert shortcuts == [f"conv{stage}_1_shortcut" for stage in sorted(projected)]


def test_residual_networks_have_no_biases_in_convolutions():
    for name in ("resnet18", "resnet152", "resnet20", "densenet121", "densenet40-k12"):
        network = outlined(name)
        assert not any(network.get_layer(each).use_bias for each in convolutions(network))


@pytest.mark.parametrize("side", [7, 8])
def test_option_a_keeps_every_other_place_and_adds_maps_of_zeros(side):
    x = noise(2, side=side, channels=3)
    out = np.array(PaddedShortcut(8, 2)(x))
    np.testing.assert_array_equal(out[..., :3], x[:, ::2, ::2])
    assert not out[..., 3:].any()
    assert PaddedShortcut(8, 2).compute_output_shape(x.shape) == out.shape


@pytest.mark.parametrize(("name", "pooling", "padding"), [("resnet18", "ceil", (0, 1)), ("densenet121", "pad", (1, 1))])
def test_the_stems_pooling_is_that_of_the_papers_framework(name, pooling, padding):
    assert outlined(name).get_layer("pool1_pad").padding[0] == padding
    other = "pad" if pooling == "ceil" else "ceil"
    assert outlined(name, stem_pooling=other).get_layer("pool1_pad").padding[0] != padding


def test_epsilon_reaches_every_normalisation():
    for name in ("resnet20", "densenet40-k12"):
        epsilons = {layer.epsilon for layer in build_small(name, bn_epsilon=1e-4).layers if hasattr(layer, "epsilon")}
        assert epsilons == {1e-4}


def test_a_dense_layer_keeps_what_it_saw_in_front_of_what_it_made():
    network = outlined("densenet121")
    seen, made = network.get_layer("dense2_3").input
    assert seen is network.get_layer("dense2_2").output
    assert made is network.get_layer("dense2_3_3x3").output
