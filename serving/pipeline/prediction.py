"""Tensors in, tensors out: what a SavedModel's signatures answer, rows of pictures through the batch queue."""

import asyncio
from collections.abc import Collection
from contextlib import ExitStack
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from serving.aside import MANY_ELEMENTS, aside
from serving.errors import InvalidRequest
from serving.models.batching.waiting import Scored
from serving.models.card import softmax
from serving.models.engines.engine import OUTPUT, PROBABILITIES, SIGNATURE
from serving.models.loaded_version import LoadedVersion
from serving.models.servable import Servable
from serving.models.signatures import Signature, Tensors
from serving.pipeline.room import Room

_QUEUES_GIVE = frozenset({OUTPUT, PROBABILITIES})


class Prediction(NamedTuple):
    """What tensors are answered by."""

    outputs: dict[str, NDArray[Any]]
    started: float
    """When the last batch needed, or the signature, began to run, on the models' clock."""


class Predictor:
    """Asks versions for tensors."""

    def __init__(self, memory: Room) -> None:
        """`memory` has room for the inputs, in bytes."""
        self._memory = memory

    async def predict(
        self,
        version: LoadedVersion,
        signature: Signature,
        inputs: Tensors,
        wanted: Collection[str],
        deadline: float,
    ) -> Prediction:
        """The outputs `wanted`, or all where none are, of `signature` to `inputs`, which it was asked to check.

        Of a version with a card, rows of serving_default run in batches with everybody's, whatever engine that is; all
        else in a turn of its own, by TensorFlow. Raises the errors of serving.errors; `deadline` is a moment on the
        models' clock.
        """
        outputs = signature.chosen_outputs(wanted)
        if not runs_in_batches(version, signature, outputs):
            return await self.run(version, signature, inputs, outputs)
        (rows,) = inputs.values()
        with self._memory.held(version.name, max(1, rows.nbytes)):
            scored = await _scored(version, rows, deadline)
        return Prediction(_outputs(scored.logits, outputs), scored.started)

    async def run(
        self, version: LoadedVersion, signature: Signature, inputs: Tensors, outputs: Collection[str]
    ) -> Prediction:
        """The `outputs` of `signature` to `inputs`, by TensorFlow. Raises the errors of serving.errors."""
        with ExitStack() as held:
            held.enter_context(self._memory.held(version.name, await _bytes_of(inputs)))
            running = await version.signature_calls.begin(signature, inputs, outputs)
            until_it_ends = held.pop_all()
            running.arrays.add_done_callback(lambda _: until_it_ends.close())
        return Prediction(await asyncio.shield(running.arrays), running.started)


def runs_in_batches(version: LoadedVersion, signature: Signature, outputs: Collection[str]) -> TypeGuard[Servable]:
    """Whether the batch queue of `version` gives these `outputs` of `signature`."""
    return isinstance(version, Servable) and signature.name == SIGNATURE and _QUEUES_GIVE.issuperset(outputs)


async def _scored(servable: Servable, rows: NDArray[np.uint8], deadline: float) -> Scored:
    """Raises InvalidRequest for rows of another shape than the card's, or for none."""
    shape = (servable.card.input.height, servable.card.input.width, servable.card.input.channels)
    if len(rows) == 0 or rows.shape[1:] != shape:
        raise InvalidRequest(
            f"Rows of {servable.name!r} have the shape {list(shape)}, and there is one at least; a tensor of "
            f"{list(rows.shape)} came."
        )
    return await servable.submit(rows, deadline)


async def _bytes_of(inputs: Tensors) -> int:
    """What they take, at least 1."""
    strings = [array for array in inputs.values() if array.dtype.hasobject]
    lengths = await aside(sum(array.size for array in strings) > MANY_ELEMENTS, _lengths, strings)
    return max(1, lengths + sum(array.nbytes for array in inputs.values()))


def _lengths(strings: Collection[NDArray[Any]]) -> int:
    return sum(len(each) for array in strings for each in array.flat)


def _outputs(logits: NDArray[np.float32], names: Collection[str]) -> dict[str, NDArray[Any]]:
    given = {OUTPUT: logits}
    if PROBABILITIES in names:
        given[PROBABILITIES] = softmax(logits)
    return {name: given[name] for name in names}
