"""Classify, Regress and MultiInference: TensorFlow Serving's calls for examples, message in and message out."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from protos import classification_pb2 as pb
from serving.doors.tf_serving import results
from serving.doors.tf_serving.apis import (
    Example,
    classification_pb2,
    inference_pb2,
    input_pb2,
    model_pb2,
    regression_pb2,
)
from serving.doors.tf_serving.examples import examples_of, picture_of
from serving.doors.tf_serving.specs import answering, checked, of_version, ours, signature_name
from serving.errors import InvalidRequest, NoSuchSignature
from serving.models.engines.engine import SIGNATURE
from serving.models.ensemble import Ensemble
from serving.models.loaded_version import LoadedVersion
from serving.models.repository import Repository
from serving.models.signatures import CLASSIFY, REGRESS, Signature
from serving.pipeline.answer import Answer
from serving.pipeline.router import Router
from serving.pipeline.surface import Pipeline
from serving.routing_keys import one_way

VIEWS: dict[str, pb.Views] = {
    SIGNATURE: pb.VIEWS_SINGLE,
    "single": pb.VIEWS_SINGLE,
    "mirror": pb.VIEWS_MIRROR,
    "five": pb.VIEWS_FIVE,
    "ten": pb.VIEWS_TEN,
    "multi-scale": pb.VIEWS_MULTI_SCALE,
    "grid": pb.VIEWS_GRID,
    "inception-144": pb.VIEWS_INCEPTION_144,
    "dense": pb.VIEWS_DENSE,
}
"""Signatures for Classify that every image model and every ensemble has: ours, which vote over views of a picture. The
last is for those that were exported with it.
"""


class Inference:
    """Answers about examples. All raise the errors of serving.errors; a deadline is a moment on the models' clock."""

    def __init__(self, classifier: Pipeline, router: Router, repository: Repository) -> None:
        self._classifier = classifier
        self._router = router
        self._repository = repository

    async def classify(
        self, request: classification_pb2.ClassificationRequest, deadline: float
    ) -> classification_pb2.ClassificationResponse:
        """Labels and scores of each example: by the model's own signature where that takes examples; else by a vote
        over views of the picture in it, of all classes, the most probable first.
        """
        return await self._classify(request, one_way(), deadline)

    async def _classify(
        self, request: classification_pb2.ClassificationRequest, key: str, deadline: float
    ) -> classification_pb2.ClassificationResponse:
        """All examples go the way of the routing `key`."""
        examples = examples_of(request.input)
        own = await self._own_answer(request.model_spec, examples, key, deadline)
        return own or await self._voted(request.model_spec, examples, key, deadline)

    async def regress(
        self, request: regression_pb2.RegressionRequest, deadline: float
    ) -> regression_pb2.RegressionResponse:
        """A value an example, by a signature of the model that is made for it."""
        return await self._regress(request, one_way(), deadline)

    async def _regress(
        self, request: regression_pb2.RegressionRequest, key: str, deadline: float
    ) -> regression_pb2.RegressionResponse:
        examples = examples_of(request.input)
        name = signature_name(request.model_spec)

        async def ask(version: LoadedVersion) -> regression_pb2.RegressionResponse:
            known = version.signature_calls.signatures.all
            if name not in known:  # for which Predict has another status
                raise InvalidRequest(f"A signature is one of {sorted(known)}; {name!r} was asked for.")
            results.check_regresses(known[name])
            outputs = await _run(version, known[name], examples)
            result = results.regressions(outputs, len(examples))
            return regression_pb2.RegressionResponse(model_spec=answering(version, name), result=result)

        return await of_version(self._router, self._repository, request.model_spec, key, deadline, ask)

    async def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest, deadline: float
    ) -> inference_pb2.MultiInferenceResponse:
        """Several signatures of one model, asked about the same examples."""
        asked = [(task.model_spec.name, signature_name(task.model_spec)) for task in request.tasks]
        if len({model for model, _ in asked}) != 1 or len(set(asked)) != len(asked):
            raise InvalidRequest(f"Tasks ask one model, each signature of it once; {asked} were asked. Split them.")
        key = one_way()
        tasks = [self._infer(task, request.input, key, deadline) for task in request.tasks]
        return inference_pb2.MultiInferenceResponse(results=await _together(tasks))

    async def _infer(
        self, task: inference_pb2.InferenceTask, given: input_pb2.Input, key: str, deadline: float
    ) -> inference_pb2.InferenceResult:
        spec = task.model_spec
        if task.method_name == CLASSIFY:
            to_classify = classification_pb2.ClassificationRequest(model_spec=spec, input=given)
            classified = await self._classify(to_classify, key, deadline)
            return inference_pb2.InferenceResult(
                model_spec=classified.model_spec, classification_result=classified.result
            )
        if task.method_name == REGRESS:
            to_regress = regression_pb2.RegressionRequest(model_spec=spec, input=given)
            regressed = await self._regress(to_regress, key, deadline)
            return inference_pb2.InferenceResult(model_spec=regressed.model_spec, regression_result=regressed.result)
        raise InvalidRequest(f"A task's method_name is {CLASSIFY!r} or {REGRESS!r}; {task.method_name!r} came.")

    async def _own_answer(
        self, spec: model_pb2.ModelSpec, examples: list[Example], key: str, deadline: float
    ) -> classification_pb2.ClassificationResponse | None:
        """What the model's own signature says; None where its stable version has none that takes examples."""
        name, asked = signature_name(spec), checked(self._repository, ours(spec))
        if asked.name in self._repository.ensembles:
            return None
        with self._repository.hold_version(asked) as version:
            if _own(version, name) is None:
                return None

        async def ask(version: LoadedVersion) -> classification_pb2.ClassificationResponse:
            own = _own(version, name)
            if own is None:
                raise NoSuchSignature(
                    f"Classify is answered as the stable version does it, by {name!r}, which takes examples; version "
                    f"{version.version} has none such."
                )
            outputs = await _run(version, own, examples)
            result = results.classifications(outputs, len(examples))
            return classification_pb2.ClassificationResponse(model_spec=answering(version, name), result=result)

        return await of_version(self._router, self._repository, spec, key, deadline, ask)

    async def _voted(
        self, spec: model_pb2.ModelSpec, examples: list[Example], key: str, deadline: float
    ) -> classification_pb2.ClassificationResponse:
        """What the pipeline says."""
        with self._repository.hold(checked(self._repository, ours(spec))):  # a card that is missing is told first
            result, ensemble = await self._votes(spec, examples, key, deadline)
        answered = answering(ensemble.members[0].servable, signature_name(spec))
        if ensemble.name in self._repository.ensembles:  # which has no version
            answered.name = ensemble.name
            answered.ClearField("version")
        return classification_pb2.ClassificationResponse(model_spec=answered, result=result)

    async def _votes(
        self, spec: model_pb2.ModelSpec, examples: Sequence[Example], key: str, deadline: float
    ) -> tuple[classification_pb2.ClassificationResult, Ensemble]:
        """What the pipeline says of each example's picture, and who said it."""
        views = VIEWS.get(signature_name(spec))
        if views is None:
            raise InvalidRequest(
                f"Classify is answered by a signature of the model's own that takes examples, or by one of "
                f"{list(VIEWS)}; {signature_name(spec)!r} was asked for."
            )
        asked = [
            pb.ClassifyRequest(model=ours(spec), encoded=picture_of(each), views=views, routing_key=key)
            for each in examples
        ]
        answers = await _together([self._classifier.classify(each, deadline) for each in asked])
        return classification_pb2.ClassificationResult(classifications=map(_classes, answers)), answers[0].ensemble


def _own(version: LoadedVersion, name: str) -> Signature | None:
    """Its signature of that name, if that takes examples."""
    own = version.signature_calls.signatures.all.get(name)
    return own if own and results.classifies(own) else None


def _classes(answer: Answer) -> classification_pb2.Classifications:
    labels, probabilities = answer.ensemble.labels, answer.verdict.probabilities
    ranking = answer.verdict.ranking.tolist()
    return classification_pb2.Classifications(
        classes=[classification_pb2.Class(label=labels[each], score=probabilities[each]) for each in ranking]
    )


async def _run(version: LoadedVersion, signature: Signature, examples: list[Example]) -> dict[str, Any]:
    return await version.signature_calls.run(signature, results.serialised(examples), list(signature.outputs))


async def _together(calls: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """What all of `calls` return, in order. The first that fails cancels the others, and what it raised is raised."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
