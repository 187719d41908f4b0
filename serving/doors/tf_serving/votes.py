"""Classify of examples that hold pictures: what the pipeline says of them, by views and votes."""

from collections.abc import Sequence

from protos import classification_pb2 as pb
from serving.doors.tf_serving.apis import Example, classification_pb2, model_pb2
from serving.doors.tf_serving.call import Call, together
from serving.doors.tf_serving.calls import Calls
from serving.doors.tf_serving.examples import picture_of
from serving.doors.tf_serving.specs import answering, checked, ours, signature_name
from serving.errors import InvalidRequest
from serving.models.engines.engine import SIGNATURE
from serving.models.ensemble import Ensemble
from serving.models.repository import Repository
from serving.pipeline.answer import Answer
from serving.pipeline.surface import Pipeline

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


class Votes:
    """Answers with all classes, the most probable first."""

    def __init__(self, classifier: Pipeline, repository: Repository, calls: Calls) -> None:
        self._classifier = classifier
        self._repository = repository
        self._calls = calls

    async def answer(
        self, spec: model_pb2.ModelSpec, examples: Sequence[Example], call: Call
    ) -> classification_pb2.ClassificationResponse:
        """What the pipeline says of the picture in each example. Raises the errors of serving.errors."""
        with self._repository.hold(checked(self._repository, ours(spec))):  # a card that is missing is told first
            answers = await self._answers(spec, examples, call)
        ensemble = answers[0].ensemble
        if ran := [each.seconds.queue + each.seconds.compute for each in answers if not each.cached]:
            self._calls.monitoring.ran(ensemble.name, call.api, max(ran))
        result = classification_pb2.ClassificationResult(classifications=map(_classes, answers))
        return classification_pb2.ClassificationResponse(model_spec=self._answering(ensemble, spec), result=result)

    async def _answers(self, spec: model_pb2.ModelSpec, examples: Sequence[Example], call: Call) -> list[Answer]:
        views = VIEWS.get(signature_name(spec))
        if views is None:
            raise InvalidRequest(
                f"Classify is answered by a signature of the model's own that takes examples, or by one of "
                f"{list(VIEWS)}; {signature_name(spec)!r} was asked for."
            )
        asked = [
            pb.ClassifyRequest(model=ours(spec), encoded=picture_of(each), views=views, routing_key=call.key)
            for each in examples
        ]
        return await together([self._classifier.classify(each, call.deadline) for each in asked])

    def _answering(self, ensemble: Ensemble, spec: model_pb2.ModelSpec) -> model_pb2.ModelSpec:
        answered = answering(ensemble.members[0].servable, signature_name(spec))
        if ensemble.name in self._repository.ensembles:  # which has no version
            answered.name = ensemble.name
            answered.ClearField("version")
        return answered


def _classes(answer: Answer) -> classification_pb2.Classifications:
    labels, probabilities = answer.ensemble.labels, answer.verdict.probabilities
    ranking = answer.verdict.ranking.tolist()
    return classification_pb2.Classifications(
        classes=[classification_pb2.Class(label=labels[each], score=probabilities[each]) for each in ranking]
    )
