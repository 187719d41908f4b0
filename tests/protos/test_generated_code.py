"""The generated code beside the protos is what the generator makes of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROTOS = Path(__file__).parents[2] / "protos"
GENERATED = sorted(path.name for path in PROTOS.glob("*_pb2*") if path.suffix in (".py", ".pyi"))


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Path:
    """What the generator writes into a directory with nothing but itself and the protos."""
    directory = tmp_path_factory.mktemp("tree") / "protos"
    directory.mkdir()
    for path in (*PROTOS.glob("*.proto"), PROTOS / "generate.sh"):
        shutil.copy(path, directory)
    environment = {**os.environ, "PYTHON": sys.executable}
    subprocess.run(["sh", directory / "generate.sh"], env=environment, check=True, capture_output=True)
    return directory


def test_the_generator_makes_the_files_that_are_committed_and_no_others(generated):
    assert sorted(path.name for path in generated.glob("*.py*")) == GENERATED


@pytest.mark.parametrize("name", GENERATED)
def test_a_committed_file_is_what_the_generator_makes(generated, name):
    assert (generated / name).read_bytes() == (PROTOS / name).read_bytes()
