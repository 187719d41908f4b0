"""What TensorFlow Serving's own files say is to be served, laid out as a repository of ours.

Its models lie anywhere, each under a base path; ours under one root. So the root is made: a directory of links, and a
models.yaml with the policies and labels (tensorflow_serving/config/model_server_config.proto).
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from serving.errors import ModelRejected
from serving.models.declaration import DECLARATION
from serving.models.whole_files import replace


class Layout(NamedTuple):
    """Models by name."""

    places: Mapping[str, Path]
    """Where the versions of each lie."""
    policies: Mapping[str, Any]
    """In the words of models.yaml; of those that have one."""
    labels: Mapping[str, Mapping[str, int]]
    """The same."""

    @classmethod
    def read(cls, root: Path) -> "Layout":
        """The one that `root` has."""
        declared = yaml.safe_load((root / DECLARATION).read_text())
        places = {path.name: Path(os.readlink(path)) for path in root.iterdir() if path.is_symlink()}
        return cls(places, declared["models"], declared["labels"])

    def write(self, root: Path) -> None:
        """Gives `root` this layout, whatever it had before. Raises OSError."""
        for link in root.iterdir():
            if link.is_symlink() and self.places.get(link.name) != Path(os.readlink(link)):
                link.unlink()
        for name, place in self.places.items():
            if not (root / name).is_symlink():
                (root / name).symlink_to(place, target_is_directory=True)
        declared = {"models": dict(self.policies), "labels": {name: dict(of) for name, of in self.labels.items()}}
        replace(root / DECLARATION, yaml.safe_dump(declared))

    def beside(self, other: "Layout") -> "Layout":
        """These models, and those that only `other` has."""
        return Layout(
            {**other.places, **self.places},
            {**{name: each for name, each in other.policies.items() if name not in self.places}, **self.policies},
            {**{name: each for name, each in other.labels.items() if name not in self.places}, **self.labels},
        )


def read_config(path: Path) -> list[ModelConfig]:
    """The models in a --model_config_file, text format of ModelServerConfig. Raises ModelRejected."""
    try:
        config = text_format.Parse(path.read_text(), ModelServerConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ModelRejected(f"{path} holds a ModelServerConfig in text format; it cannot be read: {error}") from error
    return models_of(config, str(path))


def models_of(config: ModelServerConfig, whence: str) -> list[ModelConfig]:
    """The models in `config`, which came from `whence`. Raises ModelRejected where there are none."""
    if not config.model_config_list.config:
        raise ModelRejected(f"A ModelServerConfig has a model_config_list with a model at least; {whence} has none.")
    return list(config.model_config_list.config)


def layout_of(models: Iterable[ModelConfig]) -> Layout:
    """What these models are as a repository.

    Raises ModelRejected where one has no name for a directory, the name of another, a base path that is no directory, a
    platform other than "tensorflow", or a label of version 0 or less.
    """
    places: dict[str, Path] = {}
    policies: dict[str, Any] = {}
    labels: dict[str, Mapping[str, int]] = {}
    for model in models:
        _check(model, places)
        places[model.name] = Path(model.base_path).absolute()
        if versions := _versions(model):
            policies[model.name] = {"versions": versions}
        if model.version_labels:
            labels[model.name] = dict(model.version_labels)
    return Layout(places, policies, labels)


def _check(model: ModelConfig, others: Mapping[str, Path]) -> None:
    rules = {
        "a name that may be a directory's": model.name not in ("", ".", "..", DECLARATION) and "/" not in model.name,
        "a name of its own": model.name not in others,
        "a base_path that is a directory here; one in a store is for --models": Path(model.base_path).is_dir(),
        'the model_platform "tensorflow"': model.model_platform in ("", "tensorflow"),
        "labels of versions above 0": all(version > 0 for version in model.version_labels.values()),
    }
    for rule, holds in rules.items():
        if not holds:
            raise ModelRejected(f"A model that is configured has {rule}; this one has not: {str(model).strip()}")


def _versions(model: ModelConfig) -> Any:
    """Its policy in the words of models.yaml; None for the newest version alone, which needs no words."""
    policy = model.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "specific":
        return {"specific": list(policy.specific.versions)}
    if choice == "latest" and policy.latest.num_versions > 1:
        return {"latest": policy.latest.num_versions}
    return "all" if choice == "all" else None
