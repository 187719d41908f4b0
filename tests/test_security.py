"""The threat model names tests that exist, in every line."""

import ast
import functools
import re
from pathlib import Path

import pytest

TREE = Path(__file__).parents[1]
LINES = re.findall(r"^\| (?!---|can\b|cannot\b|it\b)(.*?) \|$", (TREE / "SECURITY.md").read_text(), re.M)


@functools.cache
def names_in(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions)}


@pytest.mark.parametrize("line", LINES)
def test_every_line_of_the_threat_model_names_a_test_that_exists(line):
    path, name = re.fullmatch(r".+ \| `([\w/]+\.py)::(test_\w+)`", line).groups()
    assert name in names_in(TREE / "tests" / path)


def test_the_threat_model_is_read():
    assert len(LINES) > 40
