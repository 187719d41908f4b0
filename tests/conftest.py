"""What holds for every test: properties are checked without a time limit an example."""

from hypothesis import settings

# The machine may be busy with a training run: slowness of one example says nothing of the code.
settings.register_profile("tencrop", deadline=None, max_examples=60)
settings.load_profile("tencrop")


def pytest_configure(config):
    # Before any test is looked at: Torch's compiler does not survive being loaded after TensorFlow's.
    if "torchvision" in config.option.markexpr.replace("not torchvision", ""):
        import torchvision  # noqa: F401
