"""Where the labels of a model are to be, and why one is not there. Pure."""

from collections.abc import Iterable, Mapping

from serving.models.lifecycle.inventory import Inventory
from serving.models.lifecycle.label_files import LabelFiles
from serving.models.lifecycle.states import State, VersionStatus


def labels_of(name: str, now: Inventory) -> dict[str, int]:
    """The labels that versions of the model are to have: an administrator's go before those that files give, which go
    before those of models.yaml.
    """
    declared, ordered = now.declaration.labels.get(name, {}), now.orders.labels.get(name, {})
    return {**declared, **_files(name, now).versions, **ordered}


def troubles_of(
    name: str, now: Inventory, standing: Mapping[str, int], statuses: Iterable[VersionStatus]
) -> dict[str, str]:
    """Labels of the model that are not where they are wanted, and will not be by themselves, and why. `standing` is
    where they are.
    """
    files, ordered = _files(name, now), now.orders.labels.get(name, {})
    errors = {each.version: each.error for each in statuses if each.state in (State.START, State.END)}
    away = {label: version for label, version in labels_of(name, now).items() if standing.get(label) != version}
    kept_out = {label: why for label, version in away.items() if (why := _keeps_out(name, version, now, errors))}
    overruled = {
        label: f"its file names version {version}; an administrator's order, version {ordered[label]}, goes before it "
        "until that is taken back (tencrop models label)"
        for label, version in files.versions.items()
        if label not in files.troubles and ordered.get(label, version) != version
    }
    return {**kept_out, **files.troubles, **overruled}


def _keeps_out(name: str, version: int, now: Inventory, errors: Mapping[int, str]) -> str:
    """Why no label can be at the version; empty where one is, or will be."""
    if version not in now.models.get(name, {}):
        return f"version {version} does not lie there"
    if name in now.orders.closed or version in now.orders.unloaded.get(name, ()):
        return f"an administrator has unloaded version {version}"
    return f"version {version}: {errors[version]}" if errors.get(version) else ""


def _files(name: str, now: Inventory) -> LabelFiles:
    return now.labels.get(name, LabelFiles())
