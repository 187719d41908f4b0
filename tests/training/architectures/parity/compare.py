"""Puts the same random weights into a network of ours and one of Torch's, and holds what they compute side by side."""

from collections.abc import Mapping

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn

from training.weights.torchvision import PARTS, TORCHVISION

NO_DEVICE = pytest.mark.filterwarnings("ignore:CUDA initialization")
"""Torch looks for a GPU at its first gradient, and warns where TensorFlow has looked in vain before."""

TOLERANCE = 1e-5
"""Of a difference, over the largest number of the map that it is in. Networks of a hundred layers add more up."""


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """`model` for inference, every number in it drawn anew: moving statistics and biases too."""
    generator = torch.Generator().manual_seed(seed)
    for name, values in model.state_dict().items():
        if values.ndim > 1:
            values.normal_(0, (2 / values[0].numel()) ** 0.5, generator=generator)
        elif name.endswith(("running_var", "weight")):  # of a normalisation
            values.uniform_(0.6, 1.4, generator=generator)
            if name.endswith("bn3.weight"):  # so that sums do not grow from block to block, and gradients with them
                values *= 0.3
        elif values.is_floating_point():
            values.normal_(0, 0.2, generator=generator)
    return model.eval()


def copy_weights(model: nn.Module, network: keras.Model) -> None:
    """Puts the weights of `model`, whose modules have our layers' names, into `network`; both have the same."""
    modules = {name: module for name, module in model.named_modules() if list(module.parameters(recurse=False))}
    assert set(modules) == {layer.name for layer in network.layers if layer.weights}
    for name, module in modules.items():
        layer = network.get_layer(name)
        for variable in layer.weights:
            array = getattr(module, PARTS[variable.name]).detach().numpy()
            variable.assign(TORCHVISION.our_axes(array, layer, network))


def noise(count: int, height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """float32 [count, height, width, channels]"""
    return np.random.default_rng(seed).standard_normal((count, height, width, channels), np.float32)


def to_torch(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())


def to_ours(maps: torch.Tensor) -> np.ndarray:
    array = maps.detach().numpy()
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def assert_equal(ours, theirs, what: str, tolerance: float = TOLERANCE) -> None:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, what
    assert np.abs(theirs).max() > 0, f"{what} is dead"
    difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
    assert difference < tolerance, f"{what} differs by {difference:.1e}"


def assert_layers_equal(
    network: keras.Model, pictures: np.ndarray, theirs: Mapping[str, torch.Tensor], tolerance: float = TOLERANCE
) -> None:
    """What the layers of `network` named in `theirs` give for `pictures` is what is there, each of them."""
    names = list(theirs)
    maps = keras.Model(network.input, [network.get_layer(name).output for name in names])(pictures)
    for name, ours in zip(names, maps, strict=True):
        assert_equal(ours, to_ours(theirs[name]), name, tolerance)


def assert_gradients_equal(
    network: keras.Model,
    model: nn.Module,
    pictures: np.ndarray,
    kernels: Mapping[str, nn.Parameter],
    tolerance: float = 10 * TOLERANCE,
) -> None:
    """The cross-entropy of all heads has the same gradient in each of `kernels`, Torch's by our layers' names."""
    class_ids = np.arange(len(pictures))
    variables = [network.get_layer(name).kernel for name in kernels]
    with tf.GradientTape() as tape:
        heads = keras.tree.flatten(network(pictures))
        loss = sum(
            keras.ops.sum(keras.losses.sparse_categorical_crossentropy(class_ids, each, from_logits=True))
            for each in heads
        )
    ours = tape.gradient(loss, [variable.value for variable in variables])
    losses = [
        nn.functional.cross_entropy(each, torch.from_numpy(class_ids), reduction="sum")
        for each in keras.tree.flatten(model(to_torch(pictures)))
    ]
    theirs = torch.autograd.grad(sum(losses), list(kernels.values()))
    assert_equal(loss, sum(losses).detach(), "the loss", tolerance)
    for name, mine, their in zip(kernels, ours, theirs, strict=True):
        assert_equal(mine, their.numpy().transpose(2, 3, 1, 0), f"the gradient of {name}", tolerance)
