"""Questions to models without a card: the tensors of their default signature, as they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from protos.classification_pb2 import ModelSpec
from serving.doors.open_inference.datatypes import DATATYPES, of_tensorflow
from serving.doors.open_inference.descriptions import default_signature, has_batches, shape_of
from serving.doors.open_inference.outcome import Finish, Finished, Outcome
from serving.doors.open_inference.parameters import fields_of
from serving.doors.open_inference.question import Question, WantedOutput
from serving.doors.open_inference.tensors import Tensor
from serving.doors.open_inference.told import told
from serving.errors import InvalidRequest
from serving.models.loaded_version import LoadedVersion
from serving.models.plain import PlainVersion
from serving.models.repository import Repository
from serving.models.signatures import Signature
from serving.pipeline.answer import Seconds
from serving.pipeline.prediction import Predictor
from serving.pipeline.router import Router


class Plain:
    """Answers by the signature of the version that the router says."""

    def __init__(
        self, router: Router, predictor: Predictor, repository: Repository, clock: Callable[[], float]
    ) -> None:
        self._router = router
        self._predictor = predictor
        self._repository = repository
        self._clock = clock

    async def answer(self, question: Question, deadline: float, finish: Finish[Finished]) -> Finished:
        """What `finish` makes of the answer, before `deadline` on the clock. Raises the errors of serving.errors."""
        arrived = self._clock()
        key = _routing_key(question)
        wanted = _names(question.outputs)

        async def ask(spec: ModelSpec) -> Finished:
            with self._repository.hold_version(spec) as version:
                return await finish(await self._of_version(version, question.inputs, wanted, arrived, deadline))

        return await self._router.answered(self._router.way(question.model, key), deadline, ask)

    async def _of_version(
        self,
        version: LoadedVersion,
        given: Sequence[Tensor],
        wanted: Sequence[str],
        arrived: float,
        deadline: float,
    ) -> Outcome:
        signature = default_signature(version)
        inputs = _inputs(signature, given)
        dtypes = _dtypes(signature, wanted)
        asked = self._clock()
        predicted = await self._predictor.predict(version, signature, inputs, wanted, deadline)
        answered = self._clock()
        tensors = [Tensor(name, np.asarray(array, dtypes[name])) for name, array in predicted.outputs.items()]
        return Outcome(
            str(version.version),
            tensors,
            views="",
            inferences=len(given[0].data) if has_batches(signature) else 1,
            seconds=Seconds(asked - arrived, predicted.started - asked, answered - predicted.started),
            output_seconds=self._clock() - answered,
            executions=int(isinstance(version, PlainVersion)),
        )


def _routing_key(question: Question) -> str:
    """Raises InvalidRequest for parameters of what only a card makes possible."""
    fields = fields_of(question.parameters)
    if others := sorted(set(fields) - {"routing_key"}):
        raise InvalidRequest(
            f"Of a model without a card tensors are asked, by routing_key and timeout; {', '.join(others)} came. Leave "
            "it out, or publish the model with `tencrop export`."
        )
    return fields.get("routing_key", "")


def _names(outputs: Sequence[WantedOutput]) -> list[str]:
    if any(output.classes for output in outputs):
        raise InvalidRequest(
            "classification needs classes, which a card names; a model without one was asked for it. Leave it out to "
            "get the tensor."
        )
    return [output.name for output in outputs]


def _inputs(signature: Signature, given: Sequence[Tensor]) -> Mapping[str, NDArray[Any]]:
    """By name. Raises InvalidRequest unless they are those of `signature`."""
    signature.check_names([tensor.name for tensor in given])
    for tensor in given:
        spec = signature.inputs[tensor.name]
        datatype = of_tensorflow(spec.dtype)
        if tensor.datatype != datatype or not spec.takes(tensor.data.shape):
            raise InvalidRequest(
                f"Input {tensor.name!r} is {datatype} of shape {shape_of(spec)}; {tensor.datatype} of shape "
                f"{list(tensor.data.shape)} came. The model's metadata tell what it takes."
            )
    return {tensor.name: _encoded(tensor) for tensor in given}


def _encoded(tensor: Tensor) -> NDArray[Any]:
    """With text, which JSON listed, as bytes."""
    if not tensor.data.dtype.hasobject:
        return tensor.data
    encoded = np.empty(tensor.data.shape, object)
    try:
        encoded.ravel()[:] = [each.encode() if isinstance(each, str) else each for each in tensor.data.flat]
    except UnicodeEncodeError:
        raise InvalidRequest(f"Strings are text; {told(tensor.name)} holds halves of characters. Mend them.") from None
    return encoded


def _dtypes(signature: Signature, wanted: Sequence[str]) -> Mapping[str, np.dtype[Any]]:
    """Of the outputs `wanted`. Raises InvalidRequest where one is unknown, or of a type that the protocol has not."""
    datatypes = {name: of_tensorflow(signature.outputs[name].dtype) for name in signature.chosen_outputs(wanted)}
    return {name: DATATYPES[datatype].dtype for name, datatype in datatypes.items()}
