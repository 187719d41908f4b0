"""These tests need Torch, and are looked at only where they are asked for: pytest -m torchvision."""


def pytest_ignore_collect(collection_path, config):
    asked_for = config.option.markexpr.replace("not torchvision", "")
    return None if "torchvision" in asked_for else True
