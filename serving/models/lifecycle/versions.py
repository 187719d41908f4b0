"""Which versions of a model are aspired to. Pure decisions over numbers and names."""

from collections.abc import Callable, Container, Iterable, Mapping, Set

from protos.classification_pb2 import ModelSpec
from serving.errors import NotServed


def version_of(directory_name: str) -> int | None:
    """The version that a directory of this name holds, or None: TensorFlow Serving's rule, a positive int64."""
    is_number = directory_name.isascii() and directory_name.isdigit()
    return int(directory_name) if is_number and 0 < int(directory_name) < 2**63 else None


def aspired(
    usable: Set[int],
    wants: Callable[[Set[int]], Set[int]],
    pinned: Set[int],
    kept: Set[int],
    on_trial: Set[int] = frozenset(),
) -> Set[int]:
    """Which of the `usable` versions, those on disk that did not fail, are to be ready: those on trial, what the policy
    `wants` of the others, what a label, an ensemble or an administrator pins, and what is kept until something else can
    take its place.

    A version that failed is not usable, so that of the newest the next older takes its place, and one that is pinned
    has no substitute.
    """
    return wants(usable - on_trial) | ((pinned | kept | on_trial) & usable)


def standing(labels: Mapping[str, int], before: Mapping[str, int], ready: Container[int]) -> dict[str, int]:
    """Where `labels` point now: each to its version once that is `ready`, and until then to where it did `before`."""
    places = {label: (version, before.get(label)) for label, version in labels.items()}
    return {
        label: place
        for label, (new, old) in places.items()
        if (place := new if new in ready else old) in ready and place
    }


def stable(ready: Iterable[int], on_trial: Set[int]) -> int:
    """Of the versions that are `ready`, the newest; one that is on trial only where all are."""
    return max(ready, key=lambda version: (version not in on_trial, version))


def choose(spec: ModelSpec, ready: Iterable[int], labels: Mapping[str, int], on_trial: Set[int] = frozenset()) -> int:
    """The version of `ready`, which is not empty, that answers `spec`; where that names none, the stable one.

    Raises NotServed.
    """
    ready = sorted(ready, reverse=True)
    choice = spec.WhichOneof("version_choice")
    if choice is None:
        return stable(ready, on_trial)
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
