"""Small data that is learned in a second, and the real Fashion-MNIST."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from training.data import DataSet, Pictures
from training.data.places import DEBIAN, VARIABLE
from training.recipes.recipe import Recipe


def pytest_configure(config):
    # Keras 3.15 with NumPy 2, where it saves a variable.
    config.addinivalue_line("filterwarnings", "ignore:__array__ implementation doesn't accept:DeprecationWarning")


def pytest_sessionfinish(session):
    # What a failed test leaves for a debugger may hold iterators, which have to go before Python ends.
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        vars(sys).pop(name, None)


def pytest_runtest_setup(item):
    at_hand = os.environ.get(VARIABLE) or (DEBIAN / "fashion-mnist").is_dir()
    if item.get_closest_marker("fashion_mnist") and not at_hand:
        reason = f"needs Fashion-MNIST: install Debian's dataset-fashion-mnist, or set {VARIABLE} to where it is"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """LeNet-5 at 16x16, two epochs."""
    return Recipe(
        options={"activation": "tanh"},
        input_side=16,
        shorter_side=16,
        margin=1,
        translate=1,
        mirror=True,
        epochs=2,
        batch_size=16,
    )


@pytest.fixture(scope="session")
def tiny_data() -> DataSet:
    """80 training and 24 test pictures, uint8 [N, 16, 16, 1], of three brightnesses under noise. Not to be changed."""
    return make_tiny_data()


def make_tiny_data() -> DataSet:
    generator = np.random.default_rng(0)

    def pictures(count: int) -> Pictures:
        class_ids = np.arange(count, dtype=np.int32) % 3
        noise = generator.integers(0, 50, (count, 16, 16, 1))
        return Pictures((noise + 100 * class_ids[:, None, None, None]).astype(np.uint8), class_ids)

    return DataSet("tiny", ("dark", "grey", "bright"), pictures(80), pictures(24))


@pytest.fixture(autouse=True)
def _no_data_directory_from_outside(request, monkeypatch):
    if not request.node.get_closest_marker("fashion_mnist"):
        monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def run_directory(tmp_path) -> Path:
    return tmp_path / "run"
