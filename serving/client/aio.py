"""The client for asyncio."""

from collections.abc import AsyncIterable, AsyncIterator

import grpc
import grpc.aio

from protos import classification_pb2 as pb
from protos.classification_pb2_grpc import ClassificationStub
from serving.client.access import Access
from serving.client.answers import Answer, Model, answer_of, model_of, outcome
from serving.client.blocking import DEFAULT_TIMEOUT
from serving.client.failures import raised
from serving.client.questions import Picture, Question


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
            return answer_of(await self._stub.Classify(request, timeout=self._timeout, metadata=self._metadata))
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
                yield item.id, outcome(item)
        except grpc.RpcError as error:
            raise raised(error) from None
        if wrong:
            raise wrong[0]

    async def models(self) -> list[Model]:
        """See Client.models."""
        try:
            listed = await self._stub.ListModels(pb.ListModelsRequest(), timeout=self._timeout, metadata=self._metadata)
            return [model_of(model) for model in listed.models]
        except grpc.RpcError as error:
            raise raised(error) from None

    async def close(self) -> None:
        """Gives the connection back."""
        await self._channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_) -> None:
        await self.close()
