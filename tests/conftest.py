"""What holds for every test: properties are checked without a time limit an example, and servers share a loop.

Temporary files are pytest's.
"""

import tempfile

import pytest
from hypothesis import settings

# The machine may be busy with a training run: slowness of one example says nothing of the code.
settings.register_profile("tencrop", deadline=None, max_examples=60)
settings.load_profile("tencrop")


def pytest_configure(config):
    # Before any test is looked at: Torch's compiler does not survive being loaded after TensorFlow's.
    if "torchvision" in config.option.markexpr.replace("not torchvision", ""):
        import torchvision  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def _temporary_files_are_pytests(tmp_path_factory):
    """TensorFlow's, too, which a process that is killed does not remove: pytest does, some runs later."""
    directory = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as ours:
        ours.setenv("TMPDIR", directory)  # for processes that tests start
        ours.setattr(tempfile, "tempdir", directory)
        yield


@pytest.fixture(scope="session")
def loop():
    """The loop that every server of the tests runs on."""
    from tests.serving.loops import LoopThread  # most tests have no use for what it imports

    thread = LoopThread()
    yield thread
    thread.close()
