"""Tensors in, tensors out: what a SavedModel's signatures answer, rows of pictures through the batch queue."""

from collections.abc import Collection
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from serving.errors import InvalidRequest
from serving.models.batching.waiting import Scored
from serving.models.card import softmax
from serving.models.engines.engine import OUTPUT, PROBABILITIES, SIGNATURE
from serving.models.loaded_version import LoadedVersion
from serving.models.servable import Servable
from serving.models.signatures import Signature, Tensors

_QUEUES_GIVE = frozenset({OUTPUT, PROBABILITIES})


class Prediction(NamedTuple):
    """What tensors are answered by."""

    outputs: dict[str, NDArray[Any]]
    started: float
    """When the last batch needed, or the signature, began to run, on the models' clock."""


async def predict(
    version: LoadedVersion, signature: Signature, inputs: Tensors, wanted: Collection[str], deadline: float
) -> Prediction:
    """The outputs `wanted`, or all where none are, of `signature` to `inputs`, which it was asked to check.

    Of a version with a card, rows of serving_default run in batches with everybody's, whatever engine that is; all else
    in a turn of its own, by TensorFlow. Raises the errors of serving.errors; `deadline` is a moment on the models'
    clock.
    """
    outputs = signature.chosen_outputs(wanted)
    if runs_in_batches(version, signature, outputs):
        (rows,) = inputs.values()
        scored = await _scored(version, rows, deadline)
        return Prediction(_outputs(scored.logits, outputs), scored.started)
    ran = await version.signature_calls.run(signature, inputs, outputs)
    return Prediction(ran.arrays, ran.started)


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


def _outputs(logits: NDArray[np.float32], names: Collection[str]) -> dict[str, NDArray[Any]]:
    given = {OUTPUT: logits}
    if PROBABILITIES in names:
        given[PROBABILITIES] = softmax(logits)
    return {name: given[name] for name in names}
