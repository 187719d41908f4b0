"""What TensorFlow Serving's own files say is to be served, laid out as a repository of ours.

Its models lie anywhere, each under a base path; ours under one root. So the root is made: a directory of links, and a
models.yaml with the policies and labels (tensorflow_serving/config/model_server_config.proto).
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig

from serving.errors import ModelRejected
from serving.models.declaration import DECLARATION


def read_config(path: Path) -> list[ModelConfig]:
    """The models in a --model_config_file, text format of ModelServerConfig. Raises ModelRejected."""
    try:
        config = text_format.Parse(path.read_text(), ModelServerConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ModelRejected(f"{path} holds a ModelServerConfig in text format; it cannot be read: {error}") from error
    if not config.model_config_list.config:
        raise ModelRejected(f"A ModelServerConfig has a model_config_list with a model at least; {path} has none.")
    return list(config.model_config_list.config)


def lay_out(models: Iterable[ModelConfig], root: Path) -> None:
    """Fills `root`, an empty directory, with the repository of `models`.

    Raises ModelRejected where one has no name for a directory, the name of another, a base path that is no directory, a
    platform other than "tensorflow", or a label of version 0 or less.
    """
    declared: dict[str, Any] = {"models": {}, "labels": {}}
    for model in models:
        _check(model, root)
        (root / model.name).symlink_to(Path(model.base_path).absolute(), target_is_directory=True)
        if versions := _versions(model):
            declared["models"][model.name] = {"versions": versions}
        if model.version_labels:
            declared["labels"][model.name] = dict(model.version_labels)
    (root / DECLARATION).write_text(yaml.safe_dump(declared))


def _check(model: ModelConfig, root: Path) -> None:
    rules = {
        "a name that may be a directory's": model.name not in ("", ".", "..", DECLARATION) and "/" not in model.name,
        "a name of its own": not (root / model.name).is_symlink(),
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
