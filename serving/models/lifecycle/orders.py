"""What administrators have ordered: labels, and versions to load or to unload; and which canaries were rolled back. It
holds over a restart.

The file administration.json beside the models is the server's own. Replicas that share the directory share the orders;
of two that write at once, the last one wins.
"""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from serving.errors import ModelRejected, NotServed
from serving.models.trials.roll_back import RollBack
from serving.models.whole_files import replace

ORDERS = "administration.json"
PRODUCTION = "production"
"""The label that is promoted and rolled back."""
_REMEMBERED = 10
"""Promotions that can be rolled back, one after the other."""

Value = TypeVar("Value")


class Orders(BaseModel):
    """Every order that stands, by model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: dict[str, dict[str, PositiveInt]] = {}
    """Label to version. They have precedence over those of files and of models.yaml."""
    promoted: dict[str, list[PositiveInt]] = {}
    """Versions that production was at before each promotion, the last one last."""
    loaded: dict[str, list[PositiveInt]] = {}
    """Versions to be ready beside those that the policy wants."""
    unloaded: dict[str, list[PositiveInt]] = {}
    """Versions not to be ready."""
    closed: list[str] = []
    """Models of which no version is to be ready."""
    rolled_back: dict[str, RollBack] = {}
    """The last canary of each model that was, which the server writes by itself."""

    def named_versions(self, name: str) -> set[int]:
        """Versions of the model that an order wants to be there, those that a rollback may return to among them."""
        labels = self.labels.get(name, {}).values()
        return {*labels, *self.promoted.get(name, ()), *self.loaded.get(name, ())}

    def load(self, name: str, version: int | None) -> "Orders":
        """`name` is served again; `version`, where one is given, whatever the policy wants, and as a canary too."""
        unloaded = [each for each in self.unloaded.get(name, []) if version not in (None, each)]
        loaded = {*self.loaded.get(name, []), *([version] if version else [])}
        return self._with(
            loaded=_put(self.loaded, name, sorted(loaded)),
            unloaded=_put(self.unloaded, name, unloaded),
            closed=[each for each in self.closed if each != name],
            rolled_back={each: one for each, one in self.rolled_back.items() if (each, one.version) != (name, version)},
        )

    def unload(self, name: str, version: int | None) -> "Orders":
        """`version` is not served any more, or nothing of `name`."""
        if version is None:
            return self._with(loaded=_put(self.loaded, name, []), closed=sorted({*self.closed, name}))
        return self._with(
            loaded=_put(self.loaded, name, [each for each in self.loaded.get(name, []) if each != version]),
            unloaded=_put(self.unloaded, name, sorted({*self.unloaded.get(name, []), version})),
        )

    def label(self, name: str, label: str, version: int) -> "Orders":
        """`label` names `version`, which is loaded for it."""
        labels = {**self.labels.get(name, {}), label: version}
        unloaded = [each for each in self.unloaded.get(name, []) if each != version]
        return self._with(labels=_put(self.labels, name, labels), unloaded=_put(self.unloaded, name, unloaded))

    def remove_label(self, name: str, label: str) -> "Orders":
        """`label` is as its file or models.yaml says. Raises NotServed where no order gave it."""
        labels = dict(self.labels.get(name, {}))
        if labels.pop(label, None) is None:
            raise NotServed(
                f"A label that is removed was set by an administrator; of {name!r}, {label!r} was not, "
                f"{sorted(labels) or 'none'} were. What a file or models.yaml says is removed there."
            )
        return self._with(labels=_put(self.labels, name, labels))

    def promote(self, name: str, version: int, now: int | None) -> "Orders":
        """Production is `version`, and was at `now`, which a rollback returns to."""
        before = [*self.promoted.get(name, []), *([now] if now and now != version else [])]
        return self.label(name, PRODUCTION, version)._with(promoted=_put(self.promoted, name, before[-_REMEMBERED:]))

    def roll_back(self, name: str) -> "Orders":
        """Production is what it was before the last promotion. Raises NotServed where there was none."""
        promoted = self.promoted.get(name)
        if not promoted:
            raise NotServed(f"A rollback follows a promotion; of {name!r} there was none. Promote a version instead.")
        return self.label(name, PRODUCTION, promoted[-1])._with(promoted=_put(self.promoted, name, promoted[:-1]))

    def keep_roll_back(self, name: str, roll_back: RollBack) -> "Orders":
        """A canary of `name` gets no more calls."""
        return self._with(rolled_back={**self.rolled_back, name: roll_back})

    def _with(self, **changed: object) -> "Orders":
        return self.model_copy(update=changed)


def read_orders(root: Path) -> Orders:
    """The orders for the repository at `root`; none where the file is missing.

    Raises ModelRejected where it holds something else.
    """
    path = root / ORDERS
    try:
        return Orders.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Orders()
    except (ValidationError, OSError) as error:
        raise ModelRejected(f"{path} holds an administrator's orders; it cannot be read: {error}.") from error


def write_orders(root: Path, orders: Orders) -> None:
    """Writes them in one step. Raises OSError."""
    replace(root / ORDERS, orders.model_dump_json(indent=1, exclude_defaults=True) + "\n")


def _put(mapping: dict[str, Value], name: str, value: Value) -> dict[str, Value]:
    """`mapping` with `value` under `name`; without it where the value is empty."""
    rest = {each: kept for each, kept in mapping.items() if each != name}
    return {**rest, name: value} if value else rest
