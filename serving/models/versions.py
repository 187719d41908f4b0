"""Which versions of a model are aspired to. Pure decisions over numbers and names."""

from collections.abc import Iterable, Mapping

from protos.classification_pb2 import ModelSpec
from serving.errors import NotServed


def version_of(directory_name: str) -> int | None:
    """The version that a directory of this name holds, or None: TensorFlow Serving's rule, a positive int64."""
    is_number = directory_name.isascii() and directory_name.isdigit()
    return int(directory_name) if is_number and 0 < int(directory_name) < 2**63 else None


def candidates(found: Iterable[int], pinned: Iterable[int]) -> list[list[int]]:
    """What to load of the versions `found` on disk: a list for each version wanted, of which the first that
    loads is taken. The newest is wanted, or failing it the next; and every version that a label or an ensemble pins.
    """
    newest_first = sorted(found, reverse=True)
    return [newest_first, *([version] for version in sorted(set(pinned)))]


def choose(spec: ModelSpec, ready: Iterable[int], labels: Mapping[str, int]) -> int:
    """The version of `ready`, which is not empty, that answers `spec`.

    Raises NotServed.
    """
    ready = sorted(ready, reverse=True)
    choice = spec.WhichOneof("version_choice")
    if choice is None:
        return ready[0]
    if choice == "version_label" and spec.version_label not in labels:
        raise NotServed(
            f"A label has to be given to a version; model {spec.name!r} has no label {spec.version_label!r}, "
            f"it has {sorted(labels) or 'none'}. Ask for a version, or for none to get the newest."
        )
    wanted = labels[spec.version_label] if choice == "version_label" else spec.version
    if wanted not in ready:
        raise NotServed(
            f"A version has to be loaded; of model {spec.name!r}, version {wanted} is not, versions {ready} are. "
            "Leave the version out to get the newest."
        )
    return wanted
