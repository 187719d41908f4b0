"""Ensembles, formed of the models that are ready as models.yaml declares them."""

from collections.abc import Mapping
from pathlib import Path

from protos.classification_pb2 import ModelSpec
from serving.errors import InvalidRequest, ModelRejected, NotServed
from serving.models import ensemble_card
from serving.models.catalogue import ServedModel
from serving.models.declaration import VOTES, EnsembleDeclaration
from serving.models.ensemble import Ensemble, Member
from serving.models.servable import Servable


def form(
    root: Path,
    declared: Mapping[str, EnsembleDeclaration],
    models: Mapping[str, ServedModel],
    before: Mapping[str, Ensemble],
) -> tuple[dict[str, Ensemble], dict[str, str]]:
    """The ensembles by name, and why others are not formed as they are declared. Those stay as they were `before`, as
    long as their members are loaded.
    """
    loaded = {servable for model in models.values() for servable in model.servables.values()}
    formed, reasons = {}, {}
    for name, ensemble in declared.items():
        try:
            formed[name] = _formed(root, name, ensemble, models)
        except (ModelRejected, NotServed, InvalidRequest) as error:
            reasons[name] = str(error)
            if name in before and name not in models and all(each.servable in loaded for each in before[name].members):
                formed[name] = before[name]
    return formed, reasons


def _formed(root: Path, name: str, declared: EnsembleDeclaration, models: Mapping[str, ServedModel]) -> Ensemble:
    if name in models:
        raise ModelRejected(f"A name means one thing; {name!r} is a model too. Rename the ensemble.")
    members = tuple(Member(_servable(models, each.model, each.version), each.weight) for each in declared.members)
    votes = ensemble_card.adaptive_votes(root, name, members)
    return Ensemble(
        name, members, VOTES[declared.vote], votes, declared.quorum or 0, patience_seconds=declared.patience_seconds
    )


def _servable(models: Mapping[str, ServedModel], name: str, version: int | None) -> Servable:
    if name not in models:
        raise ModelRejected(f"A member has to be a model that is served; {name!r} is not, {sorted(models)} are.")
    chosen = models[name].choose(ModelSpec(name=name, version=version))
    return models[name].alone(chosen.version).members[0].servable
