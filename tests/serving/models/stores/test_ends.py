"""Kills, and a disk that is full, while versions are fetched."""

import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[4]
PATIENCE = 300.0


@pytest.mark.parametrize("fate", ["killed", "failed"])
def test_no_end_at_any_step_shows_half_a_version(tmp_path, fate):
    # In a process of its own, for it forks, which one that has run gRPC should not do.
    ended = subprocess.run(
        [sys.executable, "-m", "tests.serving.models.stores.ends", fate, str(tmp_path)],
        cwd=TREE,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(ended.stdout) > 50
