"""Scripts for clients whose pins conflict with ours, run in an environment of their own.

Each script is a list of checks, functions of `given`, and prints how each of them ended.
"""

import ast
import json
import os
import subprocess
from pathlib import Path

import pytest

CLIENTS = Path(__file__).with_name("clients")
_PYTHON = Path(__file__).parents[2] / ".venv" / "clients" / "bin" / "python"
_SECONDS = 180.0


def python() -> str:
    """The interpreter of that environment; without one the test fails."""
    found = Path(os.environ.get("TENCROP_CLIENTS_PYTHON", _PYTHON))
    if not found.exists():
        pytest.fail(
            f"Other servers' clients run in an environment of their own; {found} is not there. Make it with "
            "`make .venv/clients`, or name one's interpreter in TENCROP_CLIENTS_PYTHON."
        )
    return str(found)


def checks_in(script: str) -> list[str]:
    """The names of the checks of a script, which cannot be imported here."""
    tree = ast.parse((CLIENTS / script).read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [node.name for node in functions if [argument.arg for argument in node.args.args] == ["given"]]


def run(script: str, **given: object) -> dict[str, str]:
    """How each check of `script` ended: empty where it holds, else a traceback."""
    command = [python(), str(CLIENTS / script), json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
