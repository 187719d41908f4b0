"""What changes what a layer computes is found in configs, and nothing else."""

import json

import pytest

from tests.training.architectures.outlines import outlined
from training import architectures
from training.architectures.outline import outline
from training.weights.layer_settings import differences, of


def saved(network):
    """What a file of the whole `network` says of its layers."""
    return of(json.loads(network.to_json()), network.name)


@pytest.mark.parametrize(
    ("architecture", "options", "first"),
    [
        ("resnet50", {"v1_5": True}, "conv3_1_1 has strides [1, 1] in the file, [2, 2] in the network"),
        ("resnet50", {"stem_pooling": "pad"}, "pool1_pad is in the file alone"),
        ("densenet121", {"bn_epsilon": 1e-3}, "conv1_bn has epsilon 0.001 in the file, 1e-05 in the network"),
        ("vgg-a", {"stem": "small"}, "pool1 is not in the file"),
        ("googlenet", {"lrn": "off"}, "norm1 is not in the file"),
    ],
)
def test_options_that_change_no_name_or_shape_are_found(architecture, options, first):
    assert differences(saved(outlined(architecture, **options)), outlined(architecture))[0] == first


def test_a_network_does_not_differ_from_itself():
    assert differences(saved(outlined("lenet5-1998")), outlined("lenet5-1998")) == []


def test_what_serves_in_training_only_makes_no_difference():
    assert differences(saved(outlined("googlenet", training_heads=True, dropout=0.5)), outlined("googlenet")) == []


def test_the_size_of_pictures_makes_no_difference():
    padded, unpadded = (
        outline(lambda side=side: architectures.build("resnet18", 5, (side, side, 3))) for side in (64, 65)
    )
    assert "pool1_pad" in padded.to_json()
    assert "pool1_pad" not in unpadded.to_json()
    assert differences(saved(padded), unpadded) == []
    assert differences(saved(unpadded), padded) == []


def test_a_setting_that_earlier_versions_of_keras_do_not_write_is_not_compared():
    network = outlined("vgg-a")
    older = {layer: {name: each[name] for name in each if name != "groups"} for layer, each in saved(network).items()}
    assert differences(older, network) == []


def test_a_config_that_lists_no_layers_says_nothing():
    assert of({"class_name": "Mine", "config": {"width": 3}}, "resnet50") == {}
