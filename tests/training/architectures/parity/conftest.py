"""These tests need Torch, and are looked at only where they are asked for: pytest -m torchvision."""

import sys


def pytest_ignore_collect(collection_path, config):
    # tests/conftest.py has loaded it where it is asked for.
    return None if "torchvision" in sys.modules else True
