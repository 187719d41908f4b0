import json
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.training.conftest import make_tiny_data
from tests.training.workers import run_two
from training.distribution import COUNT, HOST, INDEX, cluster_of, is_chief, share_out, strategy_of
from training.errors import BadCluster, BadRecipe
from training.fit import fit
from training.keeper import CHECKPOINT

ADDRESSES = ["a:2222", "b:2222"]
FIRST = {"type": "worker", "index": 0}


def config(**task):
    return {"TF_CONFIG": json.dumps({"cluster": {"worker": ADDRESSES}, "task": task})}


def indexed_job(**variables):
    return {COUNT: "2", HOST: "train-{index}.train:2222", INDEX: "1", **variables}


def test_workers_are_those_of_tf_config():
    assert cluster_of(config(type="worker", index=1)) == ({"worker": ADDRESSES}, "worker", 1)


def test_workers_are_those_of_an_indexed_job():
    addresses = ["train-0.train:2222", "train-1.train:2222"]
    assert cluster_of(indexed_job()) == ({"worker": addresses}, "worker", 1)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {INDEX: "3"},  # every Indexed Job has it, of whatever purpose
        indexed_job(**{COUNT: "1", INDEX: "0"}),
        {"TF_CONFIG": "{}"},
        {"TF_CONFIG": json.dumps({"cluster": {"worker": ["a:2222"]}, "task": FIRST})},
    ],
)
def test_one_machine_trains_alone(environment):
    assert cluster_of(environment) is None
    assert strategy_of(environment) is tf.distribute.get_strategy()


@pytest.mark.parametrize(
    "environment",
    [
        indexed_job(**{INDEX: "2"}),
        indexed_job(**{COUNT: "two"}),
        indexed_job(**{HOST: "train:2222"}),
        {COUNT: "2", HOST: "train-{index}.train:2222"},
    ],
)
def test_an_indexed_job_that_does_not_say_who_it_is_is_refused(environment):
    with pytest.raises(BadCluster, match=f"Set {COUNT} to the Job's completions"):
        cluster_of(environment)


@pytest.mark.parametrize(
    "environment",
    [
        {"TF_CONFIG": "worker 1"},
        {"TF_CONFIG": "[]"},
        {"TF_CONFIG": json.dumps({"cluster": {"worker": ADDRESSES}})},
        config(type="worker", index=2),
        config(type="worker", index="1"),
        config(type="evaluator", index=0),
        {"TF_CONFIG": json.dumps({"cluster": {"worker": ADDRESSES, "ps": ["c:1"]}, "task": FIRST})},
    ],
)
def test_a_tf_config_that_does_not_say_who_it_is_is_refused(environment):
    with pytest.raises(BadCluster, match="TF_CONFIG lists chief and worker addresses"):
        cluster_of(environment)


def machine(kind, index, **jobs):
    resolver = SimpleNamespace(task_type=kind, task_id=index, cluster_spec=lambda: tf.train.ClusterSpec(jobs))
    return SimpleNamespace(cluster_resolver=resolver)


def test_the_first_worker_is_chief_where_nobody_else_is():
    assert is_chief(tf.distribute.get_strategy())
    assert is_chief(machine("worker", 0, worker=ADDRESSES))
    assert not is_chief(machine("worker", 1, worker=ADDRESSES))
    assert is_chief(machine("chief", 0, chief=["c:1"], worker=ADDRESSES))
    assert not is_chief(machine("worker", 0, chief=["c:1"], worker=ADDRESSES))


class Machines:
    """Stands for machines of two devices each, all in this process."""

    def __init__(self, machines):
        self.machines = machines
        self.num_replicas_in_sync = 2 * machines

    def distribute_datasets_from_function(self, make):
        contexts = [tf.distribute.InputContext(self.machines, each, 2 * self.machines) for each in range(self.machines)]
        return [make(context) for context in contexts]


def test_devices_share_out_each_batch_and_together_have_all_of_it():
    rows = np.arange(16 * 3, dtype=np.uint8).reshape(16, 3)
    batches = tf.data.Dataset.from_tensor_slices((rows, np.arange(16))).batch(8)
    streams = [list(stream.take(4)) for stream in share_out(batches, 8, Machines(2))]
    for step in (0, 1):
        shares = [share for stream in streams for share in stream[2 * step : 2 * step + 2]]
        assert {len(ids) for _, ids in shares} == {2}
        np.testing.assert_array_equal(np.concatenate([ids for _, ids in shares]), np.arange(8 * step, 8 * step + 8))
        np.testing.assert_array_equal(np.concatenate([part for part, _ in shares]), rows[8 * step : 8 * step + 8])


def test_a_batch_that_cannot_be_shared_out_evenly_is_refused():
    with pytest.raises(BadRecipe, match=r"batch_size is 10, among 4 devices\. Take 8, say"):
        share_out(tf.data.Dataset.range(10).batch(10), 10, Machines(2))


@pytest.fixture
def plain_recipe(tiny_recipe):
    """LeNet-5, neither normalised nor thinned out, with pictures held out."""
    return replace(tiny_recipe, epochs=3, validation=0.25)


@pytest.fixture
def normalised_recipe(tiny_recipe):
    """DenseNet of one layer a block: batch normalisation all over."""
    return replace(tiny_recipe, architecture="densenet-bc100-k12", options={"blocks": 1}, epochs=1)


def training(runs, killed_after=None):
    """Code that trains `runs`, directory -> recipe, one after the other, and keeps each machine's weights."""
    return f"""
import os
from pathlib import Path
import numpy as np
import tensorflow as tf
from tests.training.conftest import make_tiny_data
from tests.training.test_fit import KillAfterEpoch
from training.distribution import strategy_of
from training.fit import fit
from training.recipes.recipe import Recipe
strategy = strategy_of(os.environ)
index = strategy.cluster_resolver.task_id
kill = [KillAfterEpoch({killed_after})] if index == 1 and {killed_after} is not None else []
for directory, recipe in {[(str(directory), recipe.as_dict()) for directory, recipe in runs.items()]}:
    trained = fit(Recipe(**recipe), make_tiny_data(), 7, Path(directory), kill, strategy)
    np.savez(Path(directory, f"{{index}}.npz"), *map(np.asarray, trained.model.variables))
"""


def kept(directory, index):
    with np.load(directory / f"{index}.npz") as file:
        return list(file.values())


def assert_equal(some, others, **tolerance):
    assert len(some) == len(others) > 0
    for one, other in zip(some, others, strict=True):
        np.testing.assert_allclose(one, other, **(tolerance or {"rtol": 0, "atol": 0}))


def test_two_machines_train_in_step_and_go_on_when_one_was_killed(plain_recipe, normalised_recipe, tmp_path):
    stopped, plain, normalised = (tmp_path / name for name in ("stopped", "plain", "normalised"))

    survivor, victim = run_two(training({stopped: plain_recipe}, killed_after=0))
    assert victim.code == -signal.SIGKILL
    assert survivor.code == 1
    assert "WorkerLost: Workers train in step, and one has ended" in survivor.errors
    assert (stopped / CHECKPOINT).exists()

    whole = {plain: plain_recipe, normalised: normalised_recipe}
    for ended in run_two(training({stopped: plain_recipe, **whole})):
        assert ended.code == 0, ended.errors
    for index in (0, 1):
        assert_equal(kept(stopped, index), kept(plain, index))
    for directory, recipe in whole.items():
        assert_equal(kept(directory, 0), kept(directory, 1))
        alone = fit(recipe, make_tiny_data(), 7, tmp_path / f"{directory.name}-alone")
        assert_equal(kept(directory, 0), [np.asarray(each) for each in alone.model.variables], atol=1e-4)
