"""What is on trial by its declaration, and how long a roll-back lasts."""

import pytest
import yaml

from serving.metrics import Metrics
from serving.models.catalogue import Catalogue, ServedModel
from serving.models.declaration import CanaryDeclaration, Declaration, ModelDeclaration, TrialDeclaration
from serving.models.lifecycle.goals import goal_of
from serving.models.lifecycle.inventory import Inventory
from serving.models.repository import Repository
from serving.models.trials.canaries import Trials
from serving.models.trials.roll_back import RollBack
from tests.serving.fakes import fake_servable
from tests.serving.loops import on_a_loop
from tests.serving.models.disk import Disk

CANARY = CanaryDeclaration(version=3, percent=50)


def declared(text: str) -> Declaration:
    return Declaration.model_validate(yaml.safe_load(text))


def shades(*versions: int, canary: CanaryDeclaration | None = CANARY, **labels: int) -> ServedModel:
    servables = {version: fake_servable("shades", version) for version in versions}
    return ServedModel("shades", servables, labels, canary)


def rolled_back(trials: Trials, model: ServedModel) -> bool:
    canary = trials.canary_of(model)
    assert canary
    return bool(canary.rolled_back)


def roll_back(trials: Trials, model: ServedModel) -> None:
    canary = trials.canary_of(model)
    for _ in range(3):
        canary.canary.add(wrong=True)
    trials.judge(canary)
    assert rolled_back(trials, model)


@pytest.mark.parametrize("named", ["version: 3", "label: next"])
@pytest.mark.parametrize("trial", ["canary", "shadow"])
def test_a_version_on_trial_stays_loaded_and_is_not_the_newest_that_answers(trial, named):
    text = f"models: {{shades: {{{trial}: {{{named}, percent: 5}}}}}}\nlabels: {{shades: {{next: 3}}}}"
    declaration = declared(text)
    assert declaration.pinned_versions("shades") == {3}
    inventory = Inventory(models={"shades": {}}, declaration=declaration)
    assert goal_of("shades", inventory).on_trial == {3}
    of_shades = declaration.of_model("shades")
    servables = {version: fake_servable("shades", version) for version in (2, 3)}
    model = ServedModel("shades", servables, {"next": 3}, of_shades.canary, of_shades.shadow)
    assert model.stable_version == 2


def test_a_canary_that_is_not_ready_or_alone_is_none():
    trials = Trials()
    assert trials.canary_of(shades(2)) is None
    assert trials.canary_of(shades(3)) is None
    assert trials.canary_of(shades(2, 3)).version == 3


def test_counts_begin_anew_with_another_stable_version_and_a_roll_back_stays():
    trials = Trials()
    roll_back(trials, shades(2, 3))
    assert rolled_back(trials, shades(2, 3, 4))
    assert trials.canary_of(shades(2, 3, 4)).canary.calls == 0


def test_a_roll_back_outlives_a_time_in_which_the_version_is_not_ready():
    trials = Trials()
    roll_back(trials, shades(2, 3))
    assert trials.canary_of(shades(2)) is None
    assert rolled_back(trials, shades(2, 3))


def test_another_version_under_the_same_label_is_another_trial():
    trials, labelled = Trials(), CanaryDeclaration(label="next", percent=50)
    roll_back(trials, shades(2, 3, 4, canary=labelled, next=3))
    assert not rolled_back(trials, shades(2, 3, 4, canary=labelled, next=4))


def test_a_declaration_that_goes_and_comes_again_as_it_was_is_still_rolled_back():
    trials = Trials()
    roll_back(trials, shades(2, 3))
    assert trials.canary_of(shades(2, 3, canary=None)) is None
    assert rolled_back(trials, shades(2, 3))


def test_of_a_model_that_is_served_no_more_no_trial_is_left():
    repository = Repository({"shades": shades(2, 3)}, {})
    metrics = Metrics()
    repository.trials.tell(metrics)
    roll_back(repository.trials, repository.models["shades"])
    trial = {"model": "shades", "version": "3"}
    assert metrics.registry.get_sample_value("tencrop_canary_rollback", trial) == 1
    repository.move_to(Catalogue({}, {}))
    assert metrics.registry.get_sample_value("tencrop_canary_rollback", trial) is None
    repository.move_to(Catalogue({"shades": shades(2, 3)}, {}))
    assert rolled_back(repository.trials, repository.models["shades"])


def test_a_call_that_fails_after_its_trial_has_ended_rolls_nothing_back():
    trials, kept = Trials(), []
    trials.keep_by(lambda *roll_back: kept.append(roll_back))
    ended = trials.canary_of(shades(2, 3))
    trials.forget_all_but({})
    for _ in range(3):
        ended.canary.add(wrong=True)
        trials.judge(ended)
    assert not kept
    assert not rolled_back(trials, shades(2, 3))


def test_a_roll_back_that_is_written_down_holds_from_the_first_call():
    trials = Trials()
    trials.remember({"shades": RollBack(version=3, declared=CANARY, why="it failed yesterday")})
    assert trials.canary_of(shades(2, 3)).rolled_back == "it failed yesterday"
    assert not rolled_back(trials, shades(2, 3, canary=CanaryDeclaration(version=3, percent=49)))


def test_what_a_replica_writes_down_holds_here_until_it_is_lifted():
    trials = Trials()
    trials.canary_of(shades(2, 3)).canary.add(wrong=True)
    trials.remember({"shades": RollBack(version=3, declared=CANARY, why="it failed there")})
    assert rolled_back(trials, shades(2, 3))
    trials.remember({})
    assert not rolled_back(trials, shades(2, 3))
    assert trials.canary_of(shades(2, 3)).canary.calls == 0


def test_a_roll_back_that_is_not_written_down_yet_is_not_lifted_by_that():
    trials = Trials()
    roll_back(trials, shades(2, 3))
    trials.remember({})
    assert rolled_back(trials, shades(2, 3))


def test_what_is_on_trial_has_no_part_in_how_a_version_is_loaded():
    declared = ModelDeclaration(canary=CANARY, shadow=TrialDeclaration(version=3, percent=1), max_batch_size=4)
    assert declared.of_loading == ModelDeclaration(max_batch_size=4)


@on_a_loop
async def test_a_version_that_comes_as_a_canary_is_ready_and_others_answer_until_its_trial_ends(tmp_path):
    disk = Disk(tmp_path)
    disk.add("shades", 1)
    disk.declare("models: {shades: {canary: {version: 2, percent: 5}}}")
    manager = disk.manager()
    try:
        repository = await manager.start()
        assert repository.trials.canary_of(repository.models["shades"]) is None
        disk.add("shades", 2)
        await manager.look()
        await manager.settled()
        assert repository.trials.canary_of(repository.models["shades"]).version == 2
        assert repository.models["shades"].stable_version == 1
        disk.declare("models: {}")
        await manager.look()
        await manager.settled()
        assert repository.models["shades"].stable_version == 2
        assert disk.loaded == [("shades", 1), ("shades", 2)]
    finally:
        await manager.close()
