"""What a Python caller imports: one call, typed results, and no TensorFlow.

from serving.client import Client

with Client("localhost:8500") as client:
    answer = client.classify("boot.png", views="ten")
    print(answer.label, answer.probability)
"""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Union

import grpc
import grpc.aio
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving import errors
from serving.access import Access

if TYPE_CHECKING:
    import numpy as np

Picture = Union[str, "PathLike[str]", bytes, bytearray, memoryview, "np.ndarray"]
"""A file's path, a file's bytes, or samples: uint8 from 0 to 255 or float32 from 0 to 1, [height, width]
or [height, width, 1 or 3]."""

Box = tuple[float, float, float, float]
"""Top, left, bottom and right, as fractions from 0 to 1 of the upright picture's height and width."""

VIEWS = ("single", "mirror", "five", "ten", "multi-scale", "grid", "inception-144", "dense", "boxes")
VOTES = ("mean-probability", "mean-logit", "majority")
DEFAULT_TIMEOUT = 10.0

_ERRORS: dict[grpc.StatusCode, type[errors.TencropError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.NOT_FOUND: errors.NotServed,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: errors.Forbidden,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlinePassed,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.FAILED_PRECONDITION: errors.ModelRejected,  # of administrators' orders
    grpc.StatusCode.CANCELLED: errors.Unavailable,  # by a server at its end: this client cancels nothing
}


@dataclass(frozen=True)
class Prediction:
    """A class and its probability, from 0 to 1."""

    label: str
    class_id: int
    probability: float


@dataclass(frozen=True)
class Answer:
    """What the server says of one picture."""

    predictions: tuple[Prediction, ...]
    """The most probable first."""
    model_versions: Mapping[str, int]
    """Who answered: one model, or the members of an ensemble."""
    views: str
    vote: str
    abstained: str
    """Why the answer names no label; empty where it names the winner's."""
    views_used: int
    """How many views voted: fewer than `views` are where an adaptive vote was decided early."""
    rows_used: int
    """Computed for this answer, over all members."""
    absent_members: Mapping[str, str]
    """Members without whom the vote was held, and why: "late" or "failed"."""
    view_agreement: float
    """Of all views of all members, by weight, the share whose best class is the winner: from 0 to 1."""
    member_agreement: float
    """By weight, the share of members that would have named the winner alone."""
    decode_seconds: float
    queue_seconds: float
    compute_seconds: float
    cached: bool
    """Whether the vote was held before, over the same picture and question; the times are 0 then."""
    view_scores: Mapping[str, tuple[float, ...]]
    """View name to the probability of every class, where asked for; so are `member_scores`, by member."""
    member_scores: Mapping[str, tuple[float, ...]]

    @property
    def label(self) -> str:
        """The label that won; empty where the answer abstains."""
        return "" if self.abstained else self.predictions[0].label

    @property
    def probability(self) -> float:
        """The winner's."""
        return self.predictions[0].probability


@dataclass(frozen=True)
class Model:
    """Something that can be asked: a model with versions, or an ensemble with members. A model of which no version
    could be loaded has neither.
    """

    name: str
    versions: tuple[int, ...]
    version_labels: Mapping[str, int]
    members: Mapping[str, int]
    """Member name to version; empty for a model."""
    labels: tuple[str, ...]
    vote: str
    failures: Mapping[int, str]
    """Versions that could not be loaded, and why."""


@dataclass(frozen=True)
class Question:
    """How to classify. `model` empty asks the server's only ensemble, or else its only model."""

    model: str = ""
    version: int | None = None
    version_label: str | None = None
    views: str | None = None
    """Left out: "single", or "boxes" where there are any."""
    vote: str | None = None
    top_k: int | None = None
    with_view_scores: bool = False
    with_member_scores: bool = False
    min_confidence: float = 0.0
    """Where the winner's probability is below it, the answer abstains."""
    min_views: str | None = None
    """As few as this are better than to be refused, when the server is pressed."""
    bulk: bool = False
    """Nobody waits for this picture: others may go first."""
    adaptive: bool = False
    """No more views and members than it takes until the vote is decided, where that was calibrated."""
    boxes: Sequence[Box] = ()
    """What to look at instead of the model's own views."""
    routing_key: str = ""
    """Calls with the same key are answered by the same version, where a model has a canary."""

    def about(self, picture: Picture) -> pb.ClassifyRequest:
        """The request that asks this of `picture`.

        Raises InvalidRequest where a choice is none of those there are, and OSError where a file cannot be read.
        """
        if self.version is not None and self.version_label is not None:
            raise errors.InvalidRequest(
                f"A version is chosen by number or by label; {self.version} and {self.version_label!r} came. "
                "Leave one out."
            )
        if self.top_k is not None and not 0 < self.top_k < 2**32:
            raise errors.InvalidRequest(f"top_k is from 1 to the number of classes; {self.top_k} came.")
        views = self.views or ("boxes" if self.boxes else "single")
        request = pb.ClassifyRequest(
            model=pb.ModelSpec(name=self.model, version=self.version, version_label=self.version_label),
            views=_enumerated("views", pb.Views, "VIEWS_", VIEWS, views),
            vote=_enumerated("vote", pb.Vote, "VOTE_", VOTES, self.vote) if self.vote else pb.VOTE_UNSPECIFIED,
            top_k=self.top_k,
            with_view_scores=self.with_view_scores,
            with_member_scores=self.with_member_scores,
            min_confidence=self.min_confidence,
            min_views=_enumerated("min_views", pb.Views, "VIEWS_", VIEWS, self.min_views) if self.min_views else None,
            priority=pb.PRIORITY_BULK if self.bulk else pb.PRIORITY_INTERACTIVE,
            adaptive=self.adaptive,
            routing_key=self.routing_key,
            boxes=[pb.Box(top=top, left=left, bottom=bottom, right=right) for top, left, bottom, right in self.boxes],
        )
        if isinstance(picture, (bytes, bytearray, memoryview)):
            request.encoded = bytes(picture)
        elif isinstance(picture, (str, PathLike)):
            request.encoded = Path(picture).read_bytes()
        else:
            request.tensor.CopyFrom(_tensor(picture))
        return request


class Client:
    """Asks a server, and waits for the answer. Safe to share between threads.

    Every method raises errors.InvalidRequest, NotServed, Unauthenticated, Forbidden, Overloaded or DeadlinePassed for
    what the server says of the request, Unavailable where none answers, and ServerFailed where one is at fault.
    """

    def __init__(self, server: str, timeout: float = DEFAULT_TIMEOUT, access: Access = Access()) -> None:  # noqa: B008
        """`server` is HOST:PORT; a call takes at most `timeout` seconds. Raises OSError and InvalidRequest as `access`
        does.
        """
        self._timeout = timeout
        self._metadata = access.metadata
        self._channel = access.channel(server)
        self._stub = ClassificationStub(self._channel)

    def classify(self, picture: Picture, **question) -> Answer:
        """Classifies one picture; keyword arguments are the fields of Question."""
        return self.send(Question(**question).about(picture))

    def send(self, request: pb.ClassifyRequest) -> Answer:
        """Sends a request as it is."""
        try:
            return _answer(self._stub.Classify(request, timeout=self._timeout, metadata=self._metadata))
        except grpc.RpcError as error:
            raise raised(error) from None

    def classify_stream(self, pictures: Iterable[tuple[str, Picture]], **question) -> Iterator[tuple[str, Answer]]:
        """Classifies many pictures, given as (id, picture), over one connection; answers come as they are ready.

        Raises at the first picture that fails. The timeout does not apply.
        """
        asked = Question(**question)
        wrong: list[Exception] = []

        def items() -> Iterator[pb.ClassifyStreamRequest]:
            try:
                for id, picture in pictures:
                    yield pb.ClassifyStreamRequest(id=id, request=asked.about(picture))
            except Exception as error:  # gRPC would not pass it on: end the stream, and raise it here
                wrong.append(error)

        try:
            for item in self._stub.ClassifyStream(items(), metadata=self._metadata):
                yield item.id, _outcome(item)
        except grpc.RpcError as error:
            raise raised(error) from None
        if wrong:
            raise wrong[0]

    def models(self) -> list[Model]:
        """Everything that can be asked, in order of name."""
        try:
            return [
                _model(model)
                for model in self._stub.ListModels(
                    pb.ListModelsRequest(), timeout=self._timeout, metadata=self._metadata
                ).models
            ]
        except grpc.RpcError as error:
            raise raised(error) from None

    def close(self) -> None:
        """Gives the connection back."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()


class AsyncClient:
    """Client, for asyncio. Make it inside the event loop that uses it."""

    def __init__(self, server: str, timeout: float = DEFAULT_TIMEOUT, access: Access = Access()) -> None:  # noqa: B008
        """`server` is HOST:PORT; a call takes at most `timeout` seconds. Raises OSError and InvalidRequest as `access`
        does.
        """
        self._timeout = timeout
        self._metadata = access.metadata
        self._channel = access.aio_channel(server)
        self._stub = ClassificationStub(self._channel)

    async def classify(self, picture: Picture, **question) -> Answer:
        """See Client.classify."""
        return await self.send(Question(**question).about(picture))

    async def send(self, request: pb.ClassifyRequest) -> Answer:
        """See Client.send."""
        try:
            return _answer(await self._stub.Classify(request, timeout=self._timeout, metadata=self._metadata))
        except grpc.RpcError as error:
            raise raised(error) from None

    async def classify_stream(
        self, pictures: AsyncIterable[tuple[str, Picture]], **question
    ) -> AsyncIterator[tuple[str, Answer]]:
        """See Client.classify_stream."""
        asked = Question(**question)
        wrong: list[Exception] = []

        async def items() -> AsyncIterator[pb.ClassifyStreamRequest]:
            try:
                async for id, picture in pictures:
                    yield pb.ClassifyStreamRequest(id=id, request=asked.about(picture))
            except Exception as error:
                wrong.append(error)

        try:
            async for item in self._stub.ClassifyStream(items(), metadata=self._metadata):
                yield item.id, _outcome(item)
        except grpc.RpcError as error:
            raise raised(error) from None
        if wrong:
            raise wrong[0]

    async def models(self) -> list[Model]:
        """See Client.models."""
        try:
            listed = await self._stub.ListModels(pb.ListModelsRequest(), timeout=self._timeout, metadata=self._metadata)
            return [_model(model) for model in listed.models]
        except grpc.RpcError as error:
            raise raised(error) from None

    async def close(self) -> None:
        """Gives the connection back."""
        await self._channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_) -> None:
        await self.close()


def _tensor(samples: "np.ndarray") -> pb.Tensor:
    types = {"uint8": pb.Tensor.DATA_TYPE_UINT8, "float32": pb.Tensor.DATA_TYPE_FLOAT32}
    if samples.dtype.name not in types:
        raise errors.InvalidRequest(f"Samples are uint8 or float32; {samples.dtype.name} came. Convert them first.")
    little_endian = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
    return pb.Tensor(data_type=types[samples.dtype.name], shape=samples.shape, content=little_endian.tobytes())


def _enumerated(field: str, enum, prefix: str, choices: tuple[str, ...], choice: str):
    if choice not in choices:
        raise errors.InvalidRequest(f"{field} is one of {', '.join(choices)}; {choice!r} came.")
    return enum.Value(prefix + choice.replace("-", "_").upper())


def _named(enum, prefix: str, number: int) -> str:
    return enum.Name(number).removeprefix(prefix).replace("_", "-").lower()


def _answer(response: pb.ClassifyResponse) -> Answer:
    return Answer(
        predictions=tuple(Prediction(each.label, each.class_id, each.probability) for each in response.predictions),
        model_versions={each.name: each.version for each in response.model_versions},
        views=_named(pb.Views, "VIEWS_", response.views),
        vote=_named(pb.Vote, "VOTE_", response.vote),
        abstained=response.abstained,
        views_used=response.views_used,
        rows_used=response.rows_used,
        absent_members={each.model_version.name: each.reason for each in response.absent_members},
        view_agreement=response.view_agreement,
        member_agreement=response.member_agreement,
        decode_seconds=response.timing.decode_seconds,
        queue_seconds=response.timing.queue_seconds,
        compute_seconds=response.timing.compute_seconds,
        cached=response.cached,
        view_scores={each.name: tuple(each.probabilities) for each in response.view_scores},
        member_scores={each.name: tuple(each.probabilities) for each in response.member_scores},
    )


def _outcome(item: pb.ClassifyStreamResponse) -> Answer:
    if item.HasField("response"):
        return _answer(item.response)
    code = next(code for code in grpc.StatusCode if code.value[0] == item.error.code)
    raise _typed(code, f"{item.id}: {item.error.message}", item.error)


def raised(error: grpc.RpcError) -> errors.TencropError:
    """What a failed call raises in its caller."""
    if error.code() is grpc.StatusCode.UNAVAILABLE and "connect" in error.details():
        return errors.Unavailable(
            f"A server has to answer; none did ({error.details()}). Start one with `tencrop serve`, or name another."
        )
    if "message larger than max" in error.details():  # gRPC refuses by the status of a full queue
        return errors.InvalidRequest(f"A request has a bounded size; {error.details()}. Send a smaller picture.")
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    return _typed(error.code(), error.details(), Status.FromString(details))


def _typed(code: grpc.StatusCode, message: str, status: Status) -> errors.TencropError:
    """The error that a status stands for; an Overloaded knows when to come again where `status` says so."""
    if code not in _ERRORS:
        return errors.ServerFailed(f"{code.name}: {message}")
    if _ERRORS[code] is not errors.Overloaded:
        return _ERRORS[code](message)
    retry = RetryInfo()
    known = any(detail.Unpack(retry) for detail in status.details)
    return errors.Overloaded(message, retry.retry_delay.ToNanoseconds() / 1e9 if known else None)


def _model(model: pb.Model) -> Model:
    return Model(
        name=model.name,
        versions=tuple(model.versions),
        version_labels=dict(model.version_labels),
        members={each.model_version.name: each.model_version.version for each in model.members},
        labels=tuple(model.labels),
        vote=_named(pb.Vote, "VOTE_", model.vote) if model.vote else "",
        failures={each.version: each.error for each in model.version_statuses if each.error},
    )
