"""The async client, called as if it were the sync one, so that one test covers both."""

from serving.client import AsyncClient
from tests.serving.loops import LoopThread


class AsyncFromOutside:
    """AsyncClient on the servers' loop, called as if it were Client."""

    def __init__(self, loop: LoopThread, address: str, **options) -> None:
        self._loop = loop

        async def make():
            return AsyncClient(address, **options)

        self._client = loop.run(make())

    def classify(self, picture, **question):
        return self._loop.run(self._client.classify(picture, **question))

    def models(self):
        return self._loop.run(self._client.models())

    def classify_stream(self, pictures, **question):
        async def given():
            for each in pictures:
                yield each

        async def collect():
            return [each async for each in self._client.classify_stream(given(), **question)]

        return self._loop.run(collect())

    def close(self):
        self._loop.run(self._client.close())
