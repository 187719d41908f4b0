"""Kills while a version is fetched."""

import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).parents[4]
PATIENCE = 300.0


def test_no_kill_at_any_step_shows_half_a_version(tmp_path):
    # In a process of its own, for it forks, which one that has run gRPC should not do.
    killed = subprocess.run(
        [sys.executable, "-m", "tests.serving.models.stores.killed", str(tmp_path)],
        cwd=TREE,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert killed.returncode == 0, killed.stdout + killed.stderr
    assert int(killed.stdout) > 50
