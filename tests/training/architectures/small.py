"""One network of every builder, at a size that is built and run in a second or two."""

import keras
import numpy as np

from training import architectures

SMALL = {
    "lenet5": {},
    "lenet5-1998": {},
    "alexnet": {"stem": "small", "fc_width": 32},
    "zfnet": {"stem": "small", "fc_width": 32},
    "vgg-a": {"stem": "small", "fc_width": 32},
    "vgg-a-lrn": {"stem": "small", "fc_width": 32},
    "googlenet": {"stem": "small"},
    "resnet18": {"stem": "small"},
    "resnet20": {},
    "densenet121": {"stem": "small"},
    "densenet40-k12": {"blocks": 2},
}
"""Name -> options with which it takes 32 x 32 pixels."""


def build_small(name: str, classes: int = 5, **options) -> keras.Model:
    return architectures.build(name, classes, (32, 32, 3), **SMALL[name] | options)


def noise(count: int, side: int = 32, channels: int = 3, seed: int = 0) -> np.ndarray:
    """float32 [count, side, side, channels]"""
    return np.random.default_rng(seed).normal(size=(count, side, side, channels)).astype(np.float32)
