"""Training on many devices and many machines: who works together, and each one's share of a batch.

One machine with several GPUs needs no setting. Machines find each other through the environment: by
TensorFlow's own

    TF_CONFIG={"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}

or, in a Kubernetes Indexed Job whose pods have names through a headless service, by

    TENCROP_WORKER_COUNT=2                          the Job's completions
    TENCROP_WORKER_HOST=train-{index}.train:2222    where a worker listens: JOB-{index}.SERVICE:PORT
    JOB_COMPLETION_INDEX=0                          set by Kubernetes

All workers are given the same command, and a run directory that they share. A recipe's batch_size is that
of all devices together: each takes its share of every batch that one device alone would have had, so that
the weights after each step are the same but for rounding. Only dropout differs, which every device draws
for itself.

The first worker is the chief: it alone writes checkpoints and logs, shows progress and publishes. When a
worker ends, the others notice by its closed connections, at once, and raise WorkerLost; one that falls
silent, by its missing heartbeats.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from training.errors import BadCluster, BadRecipe, WorkerLost

CONFIG = "TF_CONFIG"
COUNT, HOST, INDEX = "TENCROP_WORKER_COUNT", "TENCROP_WORKER_HOST", "JOB_COMPLETION_INDEX"

_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.UnavailableError,
)


class Cluster(NamedTuple):
    """Machines that train together, as one of them sees it."""

    addresses: dict[str, list[str]]
    """Kind of task, "chief" or "worker" -> HOST:PORT of each."""
    kind: str
    index: int
    """Which of `addresses` this machine is."""


def cluster_of(environment: Mapping[str, str]) -> Cluster | None:
    """Who trains together; None where this machine trains alone. Raises BadCluster."""
    if CONFIG in environment:
        cluster = _from_config(environment[CONFIG])
    elif COUNT in environment:
        cluster = _from_indexed_job(environment)
    else:
        return None
    if cluster is None or sum(map(len, cluster.addresses.values())) < 2:
        return None
    return cluster


def _from_config(config: str) -> Cluster | None:
    try:
        read = json.loads(config)
        addresses, task = read.get("cluster", {}), read.get("task", {})
        if not addresses:
            return None
        cluster = Cluster(addresses, task["type"], task["index"])
        known = addresses.keys() <= {"chief", "worker"} and 0 <= cluster.index < len(addresses[cluster.kind])
    except (ValueError, KeyError, AttributeError, TypeError):
        known = False
    if not known:
        raise BadCluster(
            f"{CONFIG} lists chief and worker addresses and says which of them this task is; {config!r} came. Write "
            f'it as {{"cluster": {{"worker": ["a:2222", "b:2222"]}}, "task": {{"type": "worker", "index": 0}}}}.'
        )
    return cluster


def _from_indexed_job(environment: Mapping[str, str]) -> Cluster:
    count, host, index = (environment.get(name, "") for name in (COUNT, HOST, INDEX))
    if not (count.isdecimal() and index.isdecimal() and int(index) < int(count) and "{index}" in host):
        raise BadCluster(
            f"A worker of an Indexed Job knows how many there are, which it is, and where each listens; "
            f"{COUNT}={count!r}, {INDEX}={index!r} and {HOST}={host!r} came. Set {COUNT} to the Job's completions "
            f"and {HOST} to train-{{index}}.train:2222, say; Kubernetes sets {INDEX}."
        )
    workers = [host.replace("{index}", str(each)) for each in range(int(count))]
    return Cluster({"worker": workers}, "worker", int(index))


def strategy_of(environment: Mapping[str, str]) -> tf.distribute.Strategy:
    """How to train where `environment` says, on all GPUs of the machine. Waits for the other machines of a cluster.

    Called before TensorFlow computes anything. Raises BadCluster.
    """
    cluster = cluster_of(environment)
    if cluster is not None:
        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(cluster.addresses), task_type=cluster.kind, task_id=cluster.index, rpc_layer="grpc"
        )
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this machine speaks for all: it writes and publishes."""
    cluster = strategy.cluster_resolver
    if cluster is None:
        return True
    return cluster.task_id == 0 and (cluster.task_type == "chief" or "chief" not in cluster.cluster_spec().jobs)


def share_out(batches: tf.data.Dataset, batch_size: int, strategy: tf.distribute.Strategy) -> Any:
    """The same stream for `strategy` to train on: each device's share of each batch, in their order.

    `batches` has tuples of tensors [batch_size, ...]; the last may be smaller, by whole shares. Raises BadRecipe
    where shares would not be equal.
    """
    devices = strategy.num_replicas_in_sync
    if devices == 1:
        return batches
    if batch_size % devices:
        raise BadRecipe(
            f"A batch is shared out in equal parts; batch_size is {batch_size}, among {devices} devices. "
            f"Take {batch_size // devices * devices or devices}, say."
        )

    def of_this_machine(context: tf.distribute.InputContext) -> tf.data.Dataset:
        here = devices // context.num_input_pipelines
        first = context.input_pipeline_id * here

        def shares(*batch: tf.Tensor) -> tf.data.Dataset:
            split = [tf.reshape(each, (devices, -1, *each.shape[1:])) for each in batch]
            return tf.data.Dataset.from_tensor_slices(tuple(each[first : first + here] for each in split))

        # Without an end, or machines would ask each other in each step whether all have another batch.
        return batches.flat_map(shares).repeat().prefetch(tf.data.AUTOTUNE)

    return strategy.distribute_datasets_from_function(of_this_machine)


class InStep(keras.Model):
    """A model whose `fit` works across machines.

    Keras 3.12 to 3.15 mean to support it and fail in two places (keras-team/keras issue 20585). When they
    are mended there, this class can go.
    """

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Keras averages a batch over all devices to learn its shape, which pictures of uint8 do not allow:
        one device's share will do.
        """
        for _, _, batches in iterator:
            data_batch = keras.tree.map_structure(self._here, next(batches))
            break
        with self.distribute_strategy.scope():
            self._symbolic_build(data_batch=data_batch)

    def _here(self, share):
        return self.distribute_strategy.experimental_local_results(share)[0]

    def train_step(self, data):
        return _as_vectors(super().train_step(data))

    def test_step(self, data):
        return _as_vectors(super().test_step(data))


def _as_vectors(numbers: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Keras averages what a step gives over axis 0, which numbers do not have."""
    return {name: number[None] for name, number in numbers.items()}


def for_training(model: keras.Model, strategy: tf.distribute.Strategy) -> keras.Model:
    """`model` itself, or one of the same layers that `strategy` can train on several machines."""
    return InStep(model.input, model.output) if _on_several_machines(strategy) else model


def check_agreement(strategy: tf.distribute.Strategy, run: dict[str, Any], steps: int) -> None:
    """Raises BadCluster where other machines train something else, or go on from another step."""
    if not _on_several_machines(strategy):
        return
    mine = [zlib.crc32(json.dumps(run, sort_keys=True).encode()), steps]
    all_of_them = _gather(strategy, mine)
    if any(each != mine for each in all_of_them):
        raise BadCluster(
            "Workers train the same recipe, data and seed, and go on from the same checkpoint; these have "
            f"{len({run for run, _ in all_of_them})} different runs and have reached the steps "
            f"{', '.join(str(reached) for _, reached in all_of_them)}. Give all the same command, and a run "
            "directory that they share."
        )


def wait_for_all(strategy: tf.distribute.Strategy) -> None:
    """Returns when every machine has come here. Raises WorkerLost."""
    if _on_several_machines(strategy):
        with in_step(strategy):
            _gather(strategy, [0])


@contextmanager
def in_step(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Raises WorkerLost where another machine is lost during the block."""
    try:
        yield
    except _LOST as error:
        if not _on_several_machines(strategy):
            raise
        raise WorkerLost(
            "Workers train in step, and one has ended or cannot be reached. Look for the reason there, and give all "
            f"the same command again: they go on from the last checkpoint. What TensorFlow says: {_reason(error)}"
        ) from error


def _on_several_machines(strategy: tf.distribute.Strategy) -> bool:
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def _gather(strategy: tf.distribute.Strategy, numbers: list[int]) -> list[list[int]]:
    """The `numbers` of every device, in their order."""

    @tf.function(autograph=False)
    def on_each_device() -> tf.Tensor:
        return strategy.run(tf.constant, ([numbers], tf.int64))

    return strategy.gather(on_each_device(), axis=0).numpy().tolist()


def _reason(error: tf.errors.OpError) -> str:
    """The line of TensorFlow's many that says what happened."""
    lines = error.message.splitlines()
    return next((line for line in lines if "Collective ops is aborted by" in line), lines[0] if lines else "nothing")
