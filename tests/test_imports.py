"""Who may import whom: the contracts in pyproject.toml are kept."""

import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).parents[1]
# In a process of its own: it forks, which a process that has run gRPC should not do.
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def test_the_import_contracts_are_kept():
    lint = subprocess.run([sys.executable, "-c", LINT], cwd=TREE, capture_output=True, text=True)
    assert lint.returncode == 0, lint.stdout + lint.stderr
    assert "Contracts: 6 kept, 0 broken." in lint.stdout
