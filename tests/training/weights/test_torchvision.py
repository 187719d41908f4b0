"""State dicts of torchvision: its names, and its axes in our order."""

import numpy as np
import pytest

from tests.training.architectures.outlines import outlined
from tests.training.architectures.small import build_small
from tests.training.weights import torch_writer as torch
from training import architectures, weights
from training.errors import WeightsUnusable
from training.weights.torchvision import TORCHVISION, named_as_now


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.pth"


@pytest.mark.parametrize(
    ("architecture", "names"),
    [
        ("vgg-a", {"conv1_1": "features.0", "conv5_2": "features.18", "fc8": "classifier.6"}),
        ("vgg-d", {"conv1_2": "features.2", "conv2_1": "features.5", "conv5_3": "features.28", "fc6": "classifier.0"}),
        ("vgg-e", {"conv5_4": "features.34", "fc7": "classifier.3"}),
        ("resnet18", {"conv1_bn": "bn1", "conv3_1_shortcut": "layer2.0.downsample.0", "conv5_2_2": "layer4.1.conv2"}),
        ("resnet50", {"conv4_6_3_bn": "layer3.5.bn3", "conv2_1_shortcut_bn": "layer1.0.downsample.1", "fc": "fc"}),
        (
            "densenet121",
            {
                "conv1_bn": "features.norm0",
                "dense4_16_3x3_bn": "features.denseblock4.denselayer16.norm2",
                "transition3": "features.transition3.conv",
                "final_bn": "features.norm5",
                "fc": "classifier",
            },
        ),
        (
            "googlenet",
            {
                "conv2_reduce": "conv2.conv",
                "inception_4e_5x5_bn": "inception4e.branch3.1.bn",
                "inception_5b_pool_proj": "inception5b.branch4.1.conv",
                "linear": "fc",
            },
        ),
    ],
)
def test_layers_have_their_names_there(architecture, names):
    network = outlined(architecture, **TORCHVISION.variants[architecture].options)
    found = TORCHVISION.layer_names(network)
    assert {name: found[name] for name in names} == names
    assert len(set(found.values())) == len(found) == sum(bool(layer.weights) for layer in network.layers)


def vgg(classes=3):
    return architectures.build("vgg-a", classes, (64, 64, 3), fc_width=16)


def vgg_state():
    """Random numbers in the shapes of torchvision's vgg11, of vgg()'s widths."""
    generator = np.random.default_rng(0)
    maps = {0: (64, 3), 3: (128, 64), 6: (256, 128), 8: (256, 256), 11: (512, 256), 13: (512, 512)}
    maps |= {16: (512, 512), 18: (512, 512)}
    dense = {0: (16, 512 * 2 * 2), 3: (16, 16), 6: (3, 16)}
    shapes = {f"features.{place}": (*each, 3, 3) for place, each in maps.items()}
    shapes |= {f"classifier.{place}": each for place, each in dense.items()}
    state = {}
    for name, shape in shapes.items():
        state[f"{name}.weight"] = generator.normal(size=shape).astype(np.float32)
        state[f"{name}.bias"] = generator.normal(size=shape[0]).astype(np.float32)
    return state


@pytest.mark.parametrize("legacy", [False, True])
def test_filters_and_flattened_rows_are_put_in_our_order(path, legacy):
    state, network = vgg_state(), vgg()
    torch.save(path, state, legacy=legacy)
    assert weights.load(network, path).matched == 22
    kernel = np.array(network.get_layer("conv2_1").kernel)
    assert kernel[0, 2, 5, 7] == state["features.3.weight"][7, 5, 0, 2]
    maps = np.random.default_rng(1).normal(size=(2, 2, 512)).astype(np.float32)  # as we have them, after pool5
    ours = np.ravel(maps) @ np.array(network.get_layer("fc6").kernel)
    np.testing.assert_allclose(ours, state["classifier.0.weight"] @ np.ravel(maps.transpose(2, 0, 1)), rtol=1e-3)
    np.testing.assert_array_equal(network.get_layer("fc7").kernel, state["classifier.3.weight"].T)


def test_batch_normalisation_in_the_file_is_left_over_where_ours_has_none(path):
    numbers = np.ones(64, np.float32)
    torch.save(path, vgg_state() | {"features.1.running_mean": numbers, "features.1.running_var": numbers})
    with pytest.raises(WeightsUnusable, match=r"2 left over: features.1.running_mean, features.1.running_var"):
        weights.load(vgg(), path)


def test_names_of_the_first_densenets_are_understood_and_counters_left_out():
    block = "features.denseblock1.denselayer2"
    old = [
        f"{block}.norm.1.weight",
        f"{block}.conv.2.weight",
        "features.norm0.bias",
    ]
    new = [f"{block}.norm1.weight", f"{block}.conv2.weight", "features.norm0.bias"]
    found = named_as_now(dict.fromkeys([*old, "features.norm0.num_batches_tracked"]))
    assert [name for name, _ in found] == new


def test_the_published_googlenet_is_refused_for_what_it_is(path):
    torch.save(path, {"inception3a.branch3.1.conv.weight": np.zeros((32, 16, 3, 3), np.float32)})
    network = build_small("googlenet", **weights.variant("googlenet", path).options)
    with pytest.raises(
        WeightsUnusable, match=r"1 of another shape: .* not the paper's network: its 5x5 branches have 3x3"
    ):
        weights.load(network, path)


def test_the_variant_is_the_one_that_torchvision_has(path):
    path.touch()
    assert weights.variant("ResNet-50", path).options == {"v1_5": True, "stem_pooling": "pad", "bn_epsilon": 1e-5}
    assert weights.variant("vgg19", path).preprocessing == "torch"
