"""What the scripts beside it share: what they are given, and how they say what came of it."""

import asyncio
import inspect
import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np


def main(names: dict[str, Callable]) -> None:
    """Runs every function of `names` that takes `given`, and prints a line of JSON: its name, and how it failed."""
    given = _given(json.loads(sys.argv[1]))
    checks = {name: each for name, each in names.items() if list(_parameters(each)) == ["given"]}
    print(json.dumps({name: _failure(check, given) for name, check in checks.items()}))


def failure_of(call: Callable[[], object], kind: type[Exception]) -> Exception:
    """What `call` raises, awaited where it can be; fails where it is nothing, or of another kind."""
    try:
        ended = call()
        if inspect.iscoroutine(ended):
            asyncio.run(ended)
    except kind as error:
        return error
    raise AssertionError("it was answered")


def _given(arguments: dict) -> SimpleNamespace:
    """Ports, and arrays and a picture from a directory."""
    directory = Path(arguments["directory"])
    arrays = {path.stem: np.load(path) for path in directory.glob("*.npy")}
    picture = (directory / "picture.png").read_bytes()
    return SimpleNamespace(**arguments, **arrays, picture=picture, pictures=np.array([picture, picture], object))


def _parameters(function: Callable) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters) if inspect.isfunction(function) else ()


def _failure(check: Callable, given: SimpleNamespace) -> str:
    try:
        ended = check(given)
        if inspect.isawaitable(ended):
            asyncio.run(ended)
    except Exception:
        return traceback.format_exc()
    return ""
