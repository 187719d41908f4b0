"""A publisher that is killed, at whatever step: who looks into the directory sees a whole version or none."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serving.errors import ModelRejected
from serving.models.lifecycle.completeness import Completeness
from serving.models.lifecycle.inventory import take_inventory

TREE = Path(__file__).parents[2]

# Publishes into a model of its own again and again, each time killed one step later, until it lives: a step is a call
# of the system by which publishing writes.
_PUBLISHERS = """
import itertools, os, pathlib, signal, sys
from training.publishing import publish

def die_after(steps):
    left = iter(range(steps))

    def counted(call):
        def counting(*arguments, **options):
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return counting

    for name in ("open", "mkdir", "chmod", "fsync", "rename", "close"):
        setattr(os, name, counted(getattr(os, name)))

def fill(directory):
    for name in ("saved_model.pb", "weights"):
        file = os.open(directory / name, os.O_CREAT | os.O_WRONLY)
        os.write(file, b"whole")
        os.close(file)

for steps in itertools.count():
    child = os.fork()
    if not child:
        die_after(steps)
        publish(pathlib.Path(sys.argv[1], f"boots-{steps}"), fill)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(steps)
"""


def versions(models: Path) -> dict[str, list[set[tuple[str, int]]]]:
    """Name and size of the files of each version that a server would find complete, by model."""
    found = take_inventory(models, lacks=Completeness(0, lambda: 0.0, time.time).lacks)
    return {
        model: [
            {(name, size) for name, size, _ in files.seen}
            for version, files in of_model.items()
            if version not in found.incomplete.get(model, {})
        ]
        for model, of_model in found.models.items()
    }


def test_a_publisher_that_is_killed_at_any_step_leaves_a_whole_version_or_none(tmp_path):
    command = [sys.executable, "-c", _PUBLISHERS, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(TREE)}
    killed = int(subprocess.run(command, cwd=TREE, env=environment, check=True, capture_output=True).stdout)
    whole = [{("saved_model.pb", 5), ("weights", 5)}]
    seen = versions(tmp_path)
    assert all(files == whole for files in seen.values())
    assert 1 < len(seen) < killed  # some died before the rename, and some after it


def test_whoever_writes_in_place_is_waited_for(tmp_path):
    version = tmp_path / "boots" / "1"
    version.mkdir(parents=True)
    (version / "weights").write_text("half")
    assert versions(tmp_path) == {"boots": []}


def test_orders_that_a_kill_halved_are_not_followed(tmp_path):
    (tmp_path / "administration.json").write_text('{"labels": {"boots"')
    with pytest.raises(ModelRejected):
        take_inventory(tmp_path)
