"""A .keras file that was saved elsewhere: the model in it, with the code that it needs, and what it takes."""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from training.architectures import layers, layers_of_1998, resnet  # noqa: F401  files may have our layers in them
from training.errors import NotExportable


def load(path: Path, code: Iterable[Path] = ()) -> keras.Model:
    """The model in the .keras file at `path`; `code` are files that define what in it is not Keras'.

    Raises NotExportable where the file is no such model, or needs more code.
    """
    definitions = {name: each for file in code for name, each in _definitions(_run(file)).items()}
    try:
        return keras.saving.load_model(path, custom_objects=definitions, compile=False)
    except Exception as error:  # a user's own code may raise anything
        raise NotExportable(
            f"A model to export is a whole .keras file; {path} cannot be read. Where it has layers of your own, "
            f"name the file that defines them (--code FILE.py): {error}"
        ) from error


def input_shape(network: keras.Model, path: Path, crop: int | None) -> tuple[int, int, int]:
    """[height, width, channels] that `network` takes, `crop` where it leaves the sides open. Raises NotExportable."""
    taken = _declared_shape(network, path)
    height, width, channels = (*taken[1:3], taken[3]) if len(taken) == 4 else (None, None, None)
    if channels not in (1, 3):
        raise NotExportable(
            f"A model to export takes [batch, height, width, 1 or 3]; {path} takes {list(taken)}. "
            "Build it again with keras.Input((height, width, channels))."
        )
    if None in (height, width) and crop is None:
        raise NotExportable(
            f"A model to export takes pictures of fixed size; {path} takes {list(taken)}. Say the size (--crop)."
        )
    if crop and (height or crop, width or crop) != (crop, crop):
        raise NotExportable(
            f"A size can be said where the model leaves it open; {path} takes {list(taken)}, and {crop} came. "
            "Leave --crop out."
        )
    return height or crop, width or crop, channels


def _declared_shape(network: keras.Model, path: Path) -> tuple[int | None, ...]:
    """[batch, height, width, channels] as the model's inputs say, or else the shape that it was built on."""
    inputs = getattr(network, "inputs", None)
    if inputs is None:
        built = (network.get_build_config() or {}).get("input_shape", ())
        if isinstance(built, dict):
            raise NotExportable(f"A model to export has one input; {path} has {len(built)}. Export one of the one.")
        return tuple(built)
    if len(inputs) != 1:
        raise NotExportable(f"A model to export has one input; {path} has {len(inputs)}. Export a model of the one.")
    return tuple(inputs[0].shape)


def _run(file: Path) -> ModuleType:
    """The module in `file`, imported by its own name as the program was that saved the model."""
    name = file.stem
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) != str(file.resolve()):
        raise NotExportable(f"A file of code has a name of its own; there is a module {name} already. Rename {file}.")
    spec = importlib.util.spec_from_file_location(name, file.resolve())
    if spec is None or spec.loader is None:
        raise NotExportable(f"Code is a file of Python, NAME.py; {file} came.")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise NotExportable(
            f"The code that a model needs runs; {file} raises {type(error).__name__}: {error}"
        ) from error
    return module


def _definitions(module: ModuleType) -> dict[str, Any]:
    """The classes and functions that `module` itself defines, by name."""
    return {name: each for name, each in vars(module).items() if getattr(each, "__module__", None) == module.__name__}
