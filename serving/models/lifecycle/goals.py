"""What a model is to come to, by what lies in the directory. Pure."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from serving.models.declaration import ModelDeclaration, on_trial
from serving.models.lifecycle.inventory import Files, Inventory
from serving.models.lifecycle.labels import labels_of


@dataclass(frozen=True)
class Goal:
    """What a model is to come to."""

    declared: ModelDeclaration = field(default_factory=ModelDeclaration)
    found: Mapping[int, Files] = field(default_factory=dict)
    """Versions on disk."""
    incomplete: Mapping[int, str] = field(default_factory=dict)
    """Of those, the ones of which not all has come yet, and what they wait for."""
    barred: Set[int] = frozenset()
    """The ones that an administrator has unloaded."""
    pinned: Set[int] = frozenset()
    """The ones that a label, an ensemble or an administrator names."""
    on_trial: Set[int] = frozenset()
    """The ones that are a canary or a shadow."""


def goal_of(name: str, now: Inventory) -> Goal:
    """What the model `name` is to come to."""
    found, orders = now.models.get(name, {}), now.orders
    declared, labels = now.declaration.of_model(name), labels_of(name, now)
    return Goal(
        declared,
        found,
        now.incomplete.get(name, {}),
        barred=set(found) if name in orders.closed else set(orders.unloaded.get(name, ())),
        pinned={*now.declaration.voting_versions(name), *labels.values(), *orders.loaded.get(name, ())},
        on_trial=on_trial(declared.canary, declared.shadow, labels),
    )
