"""gRPC's standard health service."""

import asyncio

import grpc.aio
from grpc_health.v1 import health, health_pb2

from serving.models.repository import Repository

_SECONDS = 1.0


class HealthDoor(health.aio.HealthServicer):
    """The library's, but for its watches, which end with the server: left open, they would hold its stop for
    all of the time that calls in flight are given.
    """

    def __init__(self) -> None:
        super().__init__()
        self._watches: set[asyncio.Task[None]] = set()
        self._ended = False
        self._told: set[str] = set()

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: grpc.aio.ServicerContext) -> None:
        watch = asyncio.create_task(super().Watch(request, context))
        self._watches.add(watch)
        try:
            await watch
        except asyncio.CancelledError:
            if not self._ended:
                raise
        finally:
            watch.cancel()
            self._watches.discard(watch)

    async def tell_of(self, repository: Repository) -> None:
        """Says of each model and ensemble whether it can answer, as far as is known; of one that is gone, that it is
        not known any more.
        """
        status = health_pb2.HealthCheckResponse
        for name in self._told - set(repository.names):
            await self.set(name, status.SERVICE_UNKNOWN)
        self._told |= set(repository.names)
        for name in repository.names:
            await self.set(name, status.NOT_SERVING if repository.ails(name) else status.SERVING)

    async def keep_telling_of(self, repository: Repository) -> None:
        """The same, every second, until it is cancelled."""
        while True:
            await asyncio.sleep(_SECONDS)
            await self.tell_of(repository)

    def end_watches(self) -> None:
        """Ends every open watch with OK, and lets no other begin."""
        self._ended = True
        for watch in self._watches:
            watch.cancel()
