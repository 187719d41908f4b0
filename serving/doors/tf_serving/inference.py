"""Classify, Regress and MultiInference: TensorFlow Serving's calls for examples, message in and message out."""

from typing import Any

from serving.doors.tf_serving import results
from serving.doors.tf_serving.apis import (
    Example,
    classification_pb2,
    inference_pb2,
    input_pb2,
    model_pb2,
    regression_pb2,
)
from serving.doors.tf_serving.call import Call, together
from serving.doors.tf_serving.calls import Calls
from serving.doors.tf_serving.examples import examples_of
from serving.doors.tf_serving.specs import answering, checked, held_version, of_version, ours, signature_name
from serving.doors.tf_serving.votes import Votes
from serving.errors import InvalidRequest, NoSuchSignature, Unsupported
from serving.models.loaded_version import LoadedVersion
from serving.models.repository import Repository
from serving.models.signatures import CLASSIFY, REGRESS, Signature
from serving.pipeline.prediction import Predictor
from serving.pipeline.router import Router
from serving.pipeline.surface import Pipeline
from serving.routing_keys import one_way


class Inference:
    """Answers about examples. All raise the errors of serving.errors; a deadline is a moment on the models' clock."""

    def __init__(
        self, classifier: Pipeline, router: Router, predictor: Predictor, repository: Repository, calls: Calls
    ) -> None:
        self._votes = Votes(classifier, repository, calls)
        self._router = router
        self._predictor = predictor
        self._repository = repository
        self._calls = calls

    async def classify(
        self, request: classification_pb2.ClassificationRequest, deadline: float
    ) -> classification_pb2.ClassificationResponse:
        """Labels and scores of each example: by the model's own signature where that takes examples; else by a vote
        over views of the picture in it, of all classes, the most probable first.
        """
        return await self._classify(request, Call("Classify", one_way(), deadline))

    async def _classify(
        self, request: classification_pb2.ClassificationRequest, call: Call
    ) -> classification_pb2.ClassificationResponse:
        examples = examples_of(request.input)
        own = await self._own_answer(request.model_spec, examples, call)
        return own or await self._votes.answer(request.model_spec, examples, call)

    async def regress(
        self, request: regression_pb2.RegressionRequest, deadline: float
    ) -> regression_pb2.RegressionResponse:
        """A value an example, by a signature of the model that is made for it."""
        return await self._regress(request, Call("Regress", one_way(), deadline))

    async def _regress(
        self, request: regression_pb2.RegressionRequest, call: Call
    ) -> regression_pb2.RegressionResponse:
        examples = examples_of(request.input)
        name = signature_name(request.model_spec)

        async def ask(version: LoadedVersion) -> regression_pb2.RegressionResponse:
            signature = _find(version, name)
            results.check_regresses(signature)
            outputs = await self._run(version, signature, [results.OUTPUTS], examples, call)
            result = results.regressions(outputs, len(examples))
            return regression_pb2.RegressionResponse(model_spec=answering(version, name), result=result)

        return await of_version(self._router, self._repository, request.model_spec, call.key, call.deadline, ask)

    async def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest, deadline: float
    ) -> inference_pb2.MultiInferenceResponse:
        """Several signatures of one model, asked about the same examples."""
        asked = [(task.model_spec.name, signature_name(task.model_spec)) for task in request.tasks]
        if len({model for model, _ in asked}) != 1 or len(set(asked)) != len(asked):
            raise InvalidRequest(f"Tasks ask one model, each signature of it once; {asked} were asked. Split them.")
        for task in request.tasks:
            self._check_method(task)
        call = Call("MultiInference", one_way(), deadline)
        tasks = [self._infer(task, request.input, call) for task in request.tasks]
        return inference_pb2.MultiInferenceResponse(results=await together(tasks))

    def _check_method(self, task: inference_pb2.InferenceTask) -> None:
        """Raises Unsupported for a method that there is not; where there is no such model or signature either, what
        TensorFlow Serving tells first: NotServed and InvalidRequest.
        """
        if task.method_name in (CLASSIFY, REGRESS):
            return
        with held_version(self._repository, ours(task.model_spec)) as version:
            _find(version, signature_name(task.model_spec))
        raise Unsupported(f"A task's method_name is {CLASSIFY!r} or {REGRESS!r}; {task.method_name!r} came.")

    async def _infer(
        self, task: inference_pb2.InferenceTask, given: input_pb2.Input, call: Call
    ) -> inference_pb2.InferenceResult:
        """By a method that was checked."""
        spec = task.model_spec
        if task.method_name == CLASSIFY:
            to_classify = classification_pb2.ClassificationRequest(model_spec=spec, input=given)
            classified = await self._classify(to_classify, call)
            return inference_pb2.InferenceResult(
                model_spec=classified.model_spec, classification_result=classified.result
            )
        to_regress = regression_pb2.RegressionRequest(model_spec=spec, input=given)
        regressed = await self._regress(to_regress, call)
        return inference_pb2.InferenceResult(model_spec=regressed.model_spec, regression_result=regressed.result)

    async def _own_answer(
        self, spec: model_pb2.ModelSpec, examples: list[Example], call: Call
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
            outputs = await self._run(version, own, results.of_classes(own), examples, call)
            result = results.classifications(outputs, len(examples))
            return classification_pb2.ClassificationResponse(model_spec=answering(version, name), result=result)

        return await of_version(self._router, self._repository, spec, call.key, call.deadline, ask)

    async def _run(
        self, version: LoadedVersion, signature: Signature, outputs: list[str], examples: list[Example], call: Call
    ) -> dict[str, Any]:
        with self._calls.running(call.api, version.name):
            ran = await self._predictor.run(version, signature, results.serialised(examples), outputs)
            return ran.outputs


def _find(version: LoadedVersion, name: str) -> Signature:
    """Its signature of that name. Raises InvalidRequest, where Predict has another status."""
    known = version.signature_calls.signatures.all
    if name not in known:
        raise InvalidRequest(f"A signature is one of {sorted(known)}; {name!r} was asked for.")
    return known[name]


def _own(version: LoadedVersion, name: str) -> Signature | None:
    """Its signature of that name, if that takes examples."""
    own = version.signature_calls.signatures.all.get(name)
    return own if own and results.classifies(own) else None
