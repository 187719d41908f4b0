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

from serving.cores import cores
from serving.doors.bodies import SERVICE, handlers_of
from serving.doors.classification import ClassificationDoor
from serving.doors.drain import Drain
from serving.doors.health import HealthDoor
from serving.doors.http import http_app
from serving.doors.http_server import HttpServer
from serving.doors.tf_serving import warm_up
from serving.doors.tf_serving.door import TensorFlowServingDoor
from serving.metrics import Metrics
from serving.models.declaration import ModelDeclaration
from serving.models.engines.loading import EngineLoader
from serving.models.engines.operations import Trust
from serving.models.engines.saved_model import SavedModelSignatures
from serving.models.engines.tensorflow import dense_engine, use_threads
from serving.models.repository import Repository
from serving.models.servable import Batching, Servable
from serving.models.stores.address import local_models
from serving.models.stores.keeper import Keeper
from serving.pipeline.classifier import Classifier
from serving.pipeline.picture import Limits
from serving.pipeline.room import Bounds
from serving.settings import Settings

log = logging.getLogger(__name__)

# gRPC's own stop drops calls that it has received and not handed over yet. So for as long as such a call may
# take to come through, new calls are still taken in, and refused by a status.
_REFUSING_SECONDS = 0.25

# Beside the picture, a request holds names and numbers.
_ROOM_AROUND_A_PICTURE = 2**20


class Server:
    """A server that answers on its ports from `start` to `stop`."""

    def __init__(self, settings: Settings, repository: Repository, metrics: Metrics) -> None:
        self.repository = repository
        self.grpc_port = self.http_port = 0
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
        self._door = ClassificationDoor(
            self._classifier, repository, metrics, time.monotonic, settings.stream_window, self._drain
        )
        self._tf_serving = TensorFlowServingDoor(self._classifier, repository, metrics, time.monotonic, self._drain)
        self._health = HealthDoor()
        self._grpc = self._grpc_server()
        self._ready = False
        # In JSON a picture is base64, four characters to three bytes.
        longest = settings.max_picture_bytes * 4 // 3 + _ROOM_AROUND_A_PICTURE
        self._http = HttpServer(
            http_app(metrics, lambda: self._ready, self._drain, (self._tf_serving.router,), longest)
        )

    async def start(self) -> None:
        """Opens both ports. Raises OSError where one is taken."""
        self.grpc_port = _bind(self._grpc, self._settings.host, self._settings.grpc_port)
        await _listen(self._http, self._settings.host, self._settings.http_port)
        self.http_port = self._http.port
        for service in ("", SERVICE.full_name):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self._health.tell_of(self.repository)
        self._telling = asyncio.create_task(self._health.keep_telling_of(self.repository))
        await self._grpc.start()
        self._ready = True

    async def stop(self) -> bool:
        """Says that it is not serving, refuses new calls, and finishes those in flight within `drain_seconds`.

        Returns whether every engine came to rest.
        """
        self._ready = False
        self._telling.cancel()
        await self._health.enter_graceful_shutdown()
        self._drain.stop()
        await asyncio.sleep(_REFUSING_SECONDS)
        refusing = asyncio.create_task(self._grpc.stop(self._settings.drain_seconds))
        await self._drain.idle(within=self._settings.drain_seconds)
        self._health.end_watches()
        await refusing
        await self._http.stop()
        self._classifier.close()
        at_rest = await asyncio.gather(*(servable.close() for servable in self.repository.servables))
        return all(at_rest)

    def _grpc_server(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", self._settings.max_picture_bytes + _ROOM_AROUND_A_PICTURE),
                ("grpc.so_reuseport", 0),  # two servers on one port would share its calls unseen
            ]
        )
        server.add_generic_rpc_handlers((handlers_of(SERVICE, self._door), *self._tf_serving.handlers))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        services = (SERVICE.full_name, *self._tf_serving.services, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(services, server)
        return server


def load_repository(settings: Settings, metrics: Metrics) -> Repository:
    """Loads and warms up what `settings.models` holds. Blocks. Raises ModelRejected where that is nothing."""
    batching = Batching.of(settings.max_batch_size, settings.max_queue_rows)

    def load(directory: Path, declared: ModelDeclaration) -> Servable:
        name, version = directory.parent.name, int(directory.name)
        observer = metrics.queue_observer(name, version)
        batched = batching.declared(declared)
        engines = _engines(settings, declared, batched)
        servable = Servable.load(
            directory, engines, batched, time.monotonic, observer, dense_engine, SavedModelSignatures
        )
        warm_up.replay(directory, servable)
        metrics.watch_queue(name, version, lambda: servable.queued_rows)
        return servable

    return Repository.load(local_models(settings.models, settings.cache_directory), load)


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
    metrics = Metrics()
    keeper = _keeper(settings, metrics)
    if keeper:
        await keeper.sync()
    server = Server(settings, load_repository(settings, metrics), metrics)
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


def _bind(server: grpc.aio.Server, host: str, port: int) -> int:
    try:
        return server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except RuntimeError as error:
        raise _port_taken("gRPC", host, port, error) from error


def _port_taken(door: str, host: str, port: int, error: Exception) -> OSError:
    return OSError(
        f"The {door} port has to be free; {host}:{port} is not ({error}). Name another with --{door.lower()}-port."
    )
