"""The client that waits for its answers."""

from collections.abc import Iterable, Iterator

import grpc

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving.client.access import Access
from serving.client.answers import Answer, Model, answer_of, model_of, outcome
from serving.client.failures import raised
from serving.client.questions import Picture, Question

DEFAULT_TIMEOUT = 10.0
"""Seconds."""


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
            return answer_of(self._stub.Classify(request, timeout=self._timeout, metadata=self._metadata))
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
                yield item.id, outcome(item)
        except grpc.RpcError as error:
            raise raised(error) from None
        if wrong:
            raise wrong[0]

    def models(self) -> list[Model]:
        """Everything that can be asked, in order of name."""
        try:
            return [
                model_of(model)
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
