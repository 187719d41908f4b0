"""One request, top to bottom: bytes, picture, views, members' queues, scores, vote."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protos.classification_pb2 import ClassifyRequest, Tensor, Views, Vote
from serving.errors import InvalidRequest
from serving.metrics import Metrics
from serving.models.ensemble import Ensemble
from serving.models.repository import Repository
from serving.pipeline import picture as pictures
from serving.pipeline import views as geometry
from serving.pipeline.voting import Verdict, vote

DEFAULT_TOP_K = 5

# Below this, decoding costs less than handing it to another thread and back.
_INLINE_PIXELS = 128 * 128

_SAMPLE_TYPES = {Tensor.DATA_TYPE_UINT8: np.dtype("u1"), Tensor.DATA_TYPE_FLOAT32: np.dtype("<f4")}


@dataclass(frozen=True)
class Answer:
    """What a classifier says of one picture."""

    ensemble: Ensemble
    views: Views.ValueType
    rule: Vote.ValueType
    top_k: int
    verdict: Verdict
    logits: NDArray[np.float32]
    """float32 [members, views, classes], after each member's temperature."""
    decode_seconds: float
    queue_seconds: float
    compute_seconds: float


class Classifier:
    """Answers requests from the models of a repository."""

    def __init__(
        self,
        repository: Repository,
        limits: pictures.Limits,
        metrics: Metrics,
        clock: Callable[[], float],
        decoding_threads: int,
    ) -> None:
        self._repository = repository
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._decoding = ThreadPoolExecutor(decoding_threads, thread_name_prefix="decode")

    async def classify(self, request: ClassifyRequest, deadline: float) -> Answer:
        """Answers `request` before `deadline`, a moment on the classifier's clock; infinity for none.

        Raises the errors of serving.errors.
        """
        ensemble = self._repository.find(request.model)
        views = request.views or Views.VIEWS_SINGLE
        rule = request.vote or ensemble.vote
        top_k = _check_choices(request, views, rule, len(ensemble.labels))

        arrived = self._clock()
        picture = _open(request, self._limits)  # its header is checked, nothing is decoded yet
        if picture.width * picture.height <= _INLINE_PIXELS:
            rows = self._rows(picture, ensemble, views)
        else:
            in_thread = asyncio.get_running_loop().run_in_executor
            rows = await in_thread(self._decoding, self._rows, picture, ensemble, views)

        queued = self._clock()
        logits, started = await _scores(ensemble, rows, deadline)
        scored = self._clock()
        verdict = vote(logits, rule, ensemble.weights)
        self._observe(ensemble, verdict, queue=started - queued, compute=scored - started, vote=self._clock() - scored)
        return Answer(ensemble, views, rule, top_k, verdict, logits, queued - arrived, started - queued, scored - started)

    def _rows(self, picture: Image.Image, ensemble: Ensemble, views: Views.ValueType) -> list[NDArray[np.uint8]]:
        """The rows of each member; members that look at pictures the same way share theirs."""
        with self._metrics.stages["decode"].time():
            upright = pictures.decode(picture)
        with self._metrics.stages["view"].time():
            cut: dict[bytes, NDArray[np.uint8]] = {}
            rows = []
            for member in ensemble.members:
                card = member.servable.card
                look = card.input.SerializeToString() + card.geometry.SerializeToString()
                if look not in cut:
                    cut[look] = geometry.cut(upright, card.input, card.geometry, views)
                rows.append(cut[look])
            return rows

    def _observe(self, ensemble: Ensemble, verdict: Verdict, **stages: float) -> None:
        for stage, seconds in stages.items():
            self._metrics.stages[stage].observe(seconds)
        self._metrics.predictions.labels(ensemble.name, ensemble.labels[verdict.ranking[0]]).inc()

    def close(self) -> None:
        """Gives the decoding threads back."""
        self._decoding.shutdown()


async def _scores(
    ensemble: Ensemble, rows: list[NDArray[np.uint8]], deadline: float
) -> tuple[NDArray[np.float32], float]:
    """float32 [members, views, classes] and when the last batch needed was started. Members run concurrently."""
    futures = []
    try:
        for member, member_rows in zip(ensemble.members, rows, strict=True):
            futures.append(member.servable.submit(member_rows, deadline))
        scored = await asyncio.gather(*futures)
    finally:
        for future in futures:
            future.cancel()  # does nothing to those that are done, and withdraws the rows of the others
    logits = [
        scores.logits / np.float32(member.servable.card.temperature)
        for scores, member in zip(scored, ensemble.members, strict=True)
    ]
    return np.stack(logits), max(scores.started for scores in scored)


def _check_choices(request: ClassifyRequest, views: int, rule: int, classes: int) -> int:
    """The number of predictions to return. Raises InvalidRequest where a choice is none of those there are."""
    if views not in geometry.PLANS:
        known = ", ".join(Views.Name(views) for views in geometry.PLANS)
        raise InvalidRequest(f"Views are one of {known}; number {views} came.")
    if rule not in Vote.values():
        raise InvalidRequest(f"A vote is one of {', '.join(Vote.keys()[1:])}; number {rule} came.")
    top_k = request.top_k if request.HasField("top_k") else min(DEFAULT_TOP_K, classes)
    if not 1 <= top_k <= classes:
        raise InvalidRequest(
            f"top_k is from 1 to the model's {classes} classes; {top_k} came. Leave it out to get {DEFAULT_TOP_K}."
        )
    return top_k


def _open(request: ClassifyRequest, limits: pictures.Limits) -> Image.Image:
    """The picture of `request`, within `limits`. Raises InvalidRequest."""
    if request.WhichOneof("picture") != "tensor":
        return pictures.open_header(request.encoded, limits)
    tensor = request.tensor
    if tensor.data_type not in _SAMPLE_TYPES:
        raise InvalidRequest(f"A tensor's data_type is UINT8 or FLOAT32; number {tensor.data_type} came.")
    dtype = _SAMPLE_TYPES[tensor.data_type]
    pictures.check_shape(tensor.shape, limits)
    wanted = dtype.itemsize * int(np.prod(tensor.shape, dtype=object))
    if len(tensor.content) != wanted:
        raise InvalidRequest(
            f"A {dtype.name} tensor of shape {list(tensor.shape)} has {wanted} bytes; {len(tensor.content)} came. "
            "Send the samples in row-major order, without a header."
        )
    return pictures.from_samples(np.frombuffer(tensor.content, dtype).reshape(tensor.shape))
