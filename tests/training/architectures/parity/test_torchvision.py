"""Torchvision's networks, number for number: through a file that torch.save wrote, with random weights everywhere."""

import re
from contextlib import contextmanager

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from tests.training.architectures.parity.compare import (
    NO_DEVICE,
    assert_equal,
    assert_gradients_equal,
    assert_layers_equal,
    noise,
    randomise,
    to_ours,
    to_torch,
)
from training import architectures, weights

pytestmark = [pytest.mark.torchvision, NO_DEVICE]

LEGACY, ARCHIVE = False, True


def pair(tmp_path, ours, theirs, side, form, *, change=lambda model: None):
    """Torchvision's network, and ours with its weights, of inputs of `side` (height, width)."""
    options = {"aux_logits": True, "init_weights": False} if theirs == "googlenet" else {}
    model = getattr(torchvision.models, theirs)(weights=None, **options)
    change(model)
    randomise(model)
    path = tmp_path / f"{theirs}.pth"
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=form)
    network = architectures.build(ours, 1000, (*side, 3), **weights.variant(ours, path).options)
    report = weights.load(network, path)
    assert report.matched == sum(len(layer.weights) for layer in network.layers)
    path.unlink()  # of half a gigabyte
    return model, network


@contextmanager
def watching(model, names):
    """What the modules called `names` give while it lasts, by name."""
    seen = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda *given, name=name: seen.update({name: given[2]}))
        for name in names
    ]
    yield seen
    for hook in hooks:
        hook.remove()


def assert_same(model, network, layers, tolerance=1e-5, count=2):
    """The same logits, and before them the same maps in `layers`, our name -> theirs."""
    pictures = noise(count, *network.input_shape[1:3])
    with torch.no_grad(), watching(model, layers.values()) as seen:
        logits = model(to_torch(pictures))
    assert_layers_equal(network, pictures, {ours: seen[theirs] for ours, theirs in layers.items()}, tolerance)
    assert_equal(network(pictures), logits, "the logits", tolerance)


@pytest.mark.parametrize(
    ("ours", "theirs", "form"),
    [("vgg-a", "vgg11", LEGACY), ("vgg-b", "vgg13", ARCHIVE), ("vgg-d", "vgg16", LEGACY), ("vgg-e", "vgg19", ARCHIVE)],
)
def test_vgg(tmp_path, ours, theirs, form):
    model, network = pair(tmp_path, ours, theirs, (224, 224), form)
    poolings = [place for place, module in enumerate(model.features) if isinstance(module, nn.MaxPool2d)]
    layers = {f"pool{stage}": f"features.{place}" for stage, place in enumerate(poolings, 1)}
    assert_same(model, network, layers, count=1)


def resnet_layers(network):
    blocks = [name for name in (layer.name for layer in network.layers) if re.fullmatch(r"conv[2-5]_\d+", name)]
    return {"pool1": "maxpool"} | {
        name: f"layer{int(name[4]) - 1}.{int(name.partition('_')[2]) - 1}" for name in blocks
    }


@pytest.mark.parametrize(
    ("name", "form"),
    [("resnet18", ARCHIVE), ("resnet34", LEGACY), ("resnet50", LEGACY), ("resnet101", ARCHIVE), ("resnet152", ARCHIVE)],
)
def test_resnet(tmp_path, name, form):
    model, network = pair(tmp_path, name, name, (97, 65), form)
    assert_same(model, network, resnet_layers(network), 1e-4)


def test_gradients_of_resnet(tmp_path):
    model, network = pair(tmp_path, "resnet50", "resnet50", (65, 65), ARCHIVE)
    kernels = {"conv1": model.conv1.weight, "conv2_1_shortcut": model.layer1[0].downsample[0].weight}
    assert_gradients_equal(network, model, noise(2, 65, 65), kernels)


def test_resnet_in_training_normalises_by_its_batch(tmp_path):
    model, network = pair(tmp_path, "resnet18", "resnet18", (65, 65), ARCHIVE)
    pictures = noise(4, 65, 65)
    theirs = model.train()(to_torch(pictures))
    assert_equal(network(pictures, training=True), to_ours(theirs), "the logits", 1e-4)


def densenet_layers(network):
    blocks = {}
    for name in (layer.name for layer in network.layers):
        if match := re.fullmatch(r"dense(\d)_(\d+)", name):
            blocks[match[1]] = name  # the last of a block
    found = {name: f"features.denseblock{block}" for block, name in blocks.items()}
    transitions = {f"transition{n}_pool": f"features.transition{n}" for n in (1, 2, 3)}
    return {"conv1": "features.conv0", "pool1": "features.pool0"} | found | transitions


@pytest.mark.parametrize(
    ("name", "form"),
    [("densenet121", LEGACY), ("densenet161", ARCHIVE), ("densenet169", LEGACY), ("densenet201", ARCHIVE)],
)
def test_densenet(tmp_path, name, form):
    model, network = pair(tmp_path, name, name, (97, 65), form)
    assert_same(model, network, densenet_layers(network), 1e-4)


def test_gradients_of_densenet(tmp_path):
    model, network = pair(tmp_path, "densenet121", "densenet121", (65, 65), ARCHIVE)
    kernels = {
        "conv1": model.features.conv0.weight,
        "dense1_1_3x3": model.features.denseblock1.denselayer1.conv2.weight,
    }
    assert_gradients_equal(
        network, model, noise(2, 65, 65), kernels, tolerance=5e-3
    )  # float32 and float64 of Torch differ by 3e-3


def as_the_paper(model):
    """Torchvision's 5x5 branches have 3x3 filters, and its last pooling is 2x2: both for the sake of its weights."""
    model.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True)
    for name, module in model.named_children():
        if name.startswith("inception"):
            old = module.branch3[1].conv
            module.branch3[1].conv = nn.Conv2d(old.in_channels, old.out_channels, 5, padding=2, bias=False)


def test_googlenet_with_filters_of_5x5(tmp_path):
    model, network = pair(tmp_path, "googlenet", "googlenet", (129, 97), ARCHIVE, change=as_the_paper)
    modules = [layer.name for layer in network.layers if re.fullmatch(r"inception_\d\w", layer.name)]
    layers = {"pool1": "maxpool1", "pool2": "maxpool2"} | {name: name.replace("_", "") for name in modules}
    assert len(layers) == 11
    assert_same(model, network, layers, 1e-4)


def test_googlenet_as_torchvision_has_it_is_refused(tmp_path):
    with pytest.raises(weights.WeightsUnusable, match=r"9 of another shape: inception3a.branch3.1.conv.weight \[3, 3"):
        pair(tmp_path, "googlenet", "googlenet", (224, 224), ARCHIVE)


def test_a_whole_model_in_a_file_is_refused_by_what_it_wants(tmp_path):
    path = tmp_path / "whole.pth"
    torch.save(torchvision.models.resnet18(), path)
    with pytest.raises(weights.WeightsUnusable, match=r"wants torchvision\.models\.resnet\.ResNet"):
        weights.load(architectures.build("resnet18"), path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64])
@pytest.mark.parametrize("form", [ARCHIVE, LEGACY])
def test_every_kind_of_number_is_read_as_torch_reads_it(tmp_path, kind, form):
    from training.weights.torch_files import read

    numbers = (100 * torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0))).to(kind)
    state = {"x": numbers, "turned": numbers.permute(2, 0, 1), "part": numbers[1:, ::2], "parameter": numbers[0, 0, 0]}
    torch.save(state, tmp_path / "x.pth", _use_new_zipfile_serialization=form)
    for name, array in read(tmp_path / "x.pth").items():
        np.testing.assert_array_equal(array, state[name].to(torch.int64 if kind == torch.int64 else torch.float32))
