"""The composition root: settings to repository to doors, and an end without losses."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from protos import administration_pb2_grpc
from serving.cores import cores
from serving.doors.administration import AdministrationDoor
from serving.doors.answering import Answering
from serving.doors.bodies import SERVICE, handlers_of
from serving.doors.classification import ClassificationDoor
from serving.doors.drain import Drain
from serving.doors.health import HealthDoor
from serving.doors.http import http_app
from serving.doors.http_protocol import HttpBounds
from serving.doors.http_server import HttpServer
from serving.doors.locks.bounds import ROOM_AROUND_A_PICTURE, grpc_bounds
from serving.doors.locks.interceptor import EntranceInterceptor
from serving.doors.locks.locks import Locks
from serving.doors.locks.middleware import EntranceMiddleware
from serving.doors.rest.classify import classify_router
from serving.metrics import Metrics
from serving.models.administrator import Administrator
from serving.models.declaration import ModelDeclaration
from serving.models.engines.loading import EngineLoader
from serving.models.engines.operations import Trust
from serving.models.engines.tensorflow import dense_engine, use_threads
from serving.models.manager import Manager
from serving.models.memory import spare_what_stays
from serving.models.repository import Repository
from serving.models.servable import Batching, Servable
from serving.models.stores.address import local_models
from serving.models.stores.keeper import Keeper
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from serving.pipeline.room import Bounds
from serving.settings import Settings

log = logging.getLogger(__name__)

_CLASSIFICATION = classification_pb2.DESCRIPTOR.services_by_name["Classification"]
_OPEN_INFERENCE = open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
_SERVICES = (_CLASSIFICATION.full_name, _OPEN_INFERENCE.full_name)

# gRPC's own stop drops calls that it has received and not handed over yet. So for as long as such a call may
# take to come through, new calls are still taken in, and refused by a status.
_REFUSING_SECONDS = 0.25


class Server:
    """A server that answers on its ports from `start` to `stop`."""

    def __init__(
        self, settings: Settings, repository: Repository, metrics: Metrics, manager: Manager | None = None
    ) -> None:
        """`manager` keeps `repository` as its directory says; without one, what is served never changes."""
        self.repository = repository
        self._manager = manager
        self._tasks: list[asyncio.Task[None]] = []
        self.grpc_port = self.http_port = self.admin_port = 0
        self._settings = settings
        self._classifier = Classifier(
            repository,
            Limits(max_bytes=settings.max_picture_bytes, max_pixels=settings.max_picture_pixels),
            metrics,
            time.monotonic,
            settings.decoding_threads,
            Bounds(pixels=settings.max_decoding_pixels, bytes=settings.max_bytes_in_flight),
            settings.cache_bytes,
        )
        self._drain = Drain()
        answering = Answering(self._classifier, repository, metrics, time.monotonic)
        self._door = ClassificationDoor(answering, repository, time.monotonic, settings.stream_window, self._drain)
        self._health = HealthDoor()
        self.locks = Locks(settings, metrics, time.monotonic)
        self._grpc = self._grpc_server()
        self._administration = self._admin_server(manager) if manager else None
        self._ready = asyncio.Event()
        # In JSON a picture is base64, four characters to three bytes.
        longest = settings.max_picture_bytes * 4 // 3 + ROOM_AROUND_A_PICTURE
        routers = [classify_router(answering, repository, time.monotonic)]
        app = http_app(metrics, self._ready.is_set, self._drain, routers, longest)
        bounds = HttpBounds(head_bytes=settings.max_header_bytes, connections=settings.max_connections)
        self._http = HttpServer(EntranceMiddleware(app, self.locks.entrance), bounds, self.locks.http_context)

    async def start(self) -> None:
        """Opens its ports, that of admin calls too where there is a manager. Raises OSError where one is taken."""
        settings, credentials = self._settings, self.locks.grpc_credentials
        self.grpc_port = _bind(self._grpc, "gRPC", settings.host, settings.grpc_port, credentials)
        await _listen(self._http, self._settings.host, self._settings.http_port)
        self.http_port = self._http.port
        if self._administration:
            host, port = settings.admin_host, settings.admin_port
            self.admin_port = _bind(self._administration, "admin", host, port, credentials)
            await self._administration.start()
        for service in ("", SERVICE.full_name):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self._health.tell_of(self.repository)
        self._tasks.append(asyncio.create_task(self._health.keep_telling_of(self.repository)))
        if self._manager and self._settings.poll_seconds:
            self._tasks.append(asyncio.create_task(self._manager.keep_looking(self._settings.poll_seconds)))
        await self._grpc.start()
        self._ready.set()

    async def stop(self) -> bool:
        """Says that it is not serving, refuses new calls, and finishes those in flight within `drain_seconds`.

        Returns whether every engine came to rest.
        """
        self._ready.clear()
        for task in self._tasks:
            task.cancel()
        if self._administration:
            await self._administration.stop(0)
        if self._manager:
            await self._manager.close()
        await self._health.enter_graceful_shutdown()
        self._drain.stop()
        await asyncio.sleep(_REFUSING_SECONDS)
        refusing = asyncio.create_task(self._grpc.stop(self._settings.drain_seconds))
        await self._drain.idle(within=self._settings.drain_seconds)
        self._health.end_watches()
        await refusing
        await self._http.stop()
        self._classifier.close()
        servables = self._manager.servables if self._manager else self.repository.servables
        at_rest = await asyncio.gather(*(servable.close() for servable in servables))
        return all(at_rest)

    def _grpc_server(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            interceptors=[EntranceInterceptor(self.locks.entrance, self._settings.idle_seconds)],
            options=[
                *grpc_bounds(self._settings),
                ("grpc.so_reuseport", 0),  # two servers on one port would share its calls unseen
            ],
        )
        doors = {_CLASSIFICATION: self._door, _OPEN_INFERENCE: self._open_inference}
        server.add_generic_rpc_handlers(tuple(handlers_of(service, door) for service, door in doors.items()))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection((*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
        return server

    def _admin_server(self, manager: Manager) -> grpc.aio.Server:
        """A server of its own, so that the public port has no such calls."""
        server = grpc.aio.server(
            interceptors=[EntranceInterceptor(self.locks.admin_entrance, self._settings.idle_seconds)],
            options=[*grpc_bounds(self._settings), ("grpc.so_reuseport", 0)],
        )
        door = AdministrationDoor(Administrator(manager), manager.repository)
        administration_pb2_grpc.add_AdministrationServicer_to_server(door, server)
        return server


def manage(settings: Settings, metrics: Metrics) -> Manager:
    """What loads and warms up what `settings.models` holds, and keeps up with it."""
    batching = Batching.of(settings.max_batch_size, settings.max_queue_rows)

    def load(directory: Path, declared: ModelDeclaration) -> Servable:
        name, version = directory.parent.name, int(directory.name)
        observer = metrics.queue_observer(name, version)
        batched = batching.declared(declared)
        engines = _engines(settings, declared, batched)
        return Servable.load(directory, engines, batched, time.monotonic, observer, dense_engine)

    root = local_models(settings.models, settings.cache_directory)
    return Manager(root, load, metrics, settings.max_model_bytes, settings.settle_seconds)


def _engines(settings: Settings, declared: ModelDeclaration, batching: Batching) -> EngineLoader:
    """What makes the engine of a model."""
    sizes = batching.allowed_batch_sizes
    return EngineLoader(
        declared.engine or settings.engine,
        declared.precision or settings.precision,
        threads=settings.engine_threads,
        # A core is left to the event loop.
        streams=max(1, (cores() - 1) // settings.engine_threads),
        batch_sizes=tuple(dict.fromkeys((sizes[0], sizes[-1]))),
        trust=_trust(settings, declared),
    )


def _trust(settings: Settings, declared: ModelDeclaration) -> Trust:
    """What a model's graph may hold beyond what is safe. Of a store, models.yaml has no say in that: whoever may write
    models there may write it too.
    """
    if declared.allow_operations and isinstance(settings.models, str):
        log.warning("allow_operations is for models in a directory; that in %s is not followed", settings.models)
        return Trust(everything=settings.allow_unsafe_models)
    return Trust(declared.allow_operations, settings.allow_unsafe_models)


async def serve(settings: Settings, announce: Callable[[Server], None] = lambda server: None) -> bool:
    """Serves until SIGTERM or SIGINT, then drains. `announce(server)` is called once calls are answered.

    Returns whether every engine came to rest; where one did not, its thread outlives the event loop.
    """
    use_threads(settings.engine_threads)
    spare_what_stays()
    metrics = Metrics()
    keeper = _keeper(settings, metrics)
    if keeper:
        await keeper.sync()
    manager = manage(settings, metrics)
    server = Server(settings, await manager.start(), metrics, manager)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # until here nothing can be lost, and either ends the process
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await server.start()
    announce(server)
    mirroring = asyncio.create_task(keeper.run(settings.store_poll_seconds, server.repository)) if keeper else None
    await stopping.wait()
    if mirroring:
        mirroring.cancel()
    return await server.stop()


def _keeper(settings: Settings, metrics: Metrics) -> Keeper | None:
    """What mirrors the store that models are in; None where they are in a directory. Raises StoreFailed."""
    if isinstance(settings.models, Path):
        return None
    observer = metrics.store_observer(settings.models)
    return Keeper.of(settings.models, settings.cache_directory, settings.settle_seconds, observer)


async def _listen(http: HttpServer, host: str, port: int) -> None:
    try:
        await http.start(host, port)
    except OSError as error:
        raise _port_taken("HTTP", host, port, error) from error


def _bind(server: grpc.aio.Server, door: str, host: str, port: int, credentials: grpc.ServerCredentials | None) -> int:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        if credentials:
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise _port_taken(door, host, port, error) from error


def _port_taken(door: str, host: str, port: int, error: Exception) -> OSError:
    return OSError(
        f"The {door} port has to be free; {host}:{port} is not ({error}). Name another with --{door.lower()}-port."
    )
