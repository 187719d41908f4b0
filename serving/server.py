"""A server: its doors over one pipeline over one repository, and an end without losses."""

import asyncio
import time
from functools import partial

import grpc.aio
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import aio as reflection

from protos import administration_pb2
from serving.doors.administration import AdministrationDoor
from serving.doors.bodies import refusing_handlers_of
from serving.doors.drain import Drain
from serving.doors.health import HealthDoor
from serving.doors.http import http_app
from serving.doors.http_protocol import HttpBounds
from serving.doors.http_server import HttpServer
from serving.doors.locks.bounds import ROOM_AROUND_A_PICTURE, grpc_bounds, longest_message
from serving.doors.locks.entrance import Entrance
from serving.doors.locks.inflation import InflatingInterceptor
from serving.doors.locks.interceptor import EntranceInterceptor
from serving.doors.locks.locks import Locks
from serving.doors.locks.middleware import EntranceMiddleware
from serving.doors.ports import bind, listen
from serving.doors.protocols import Protocols, handlers_for_administrators
from serving.metrics import Metrics
from serving.models.lifecycle.administrator import Administrator
from serving.models.lifecycle.configuration import Configuration
from serving.models.lifecycle.manager import Manager
from serving.models.lifecycle.refreshing import Refresher
from serving.models.lifecycle.roll_backs import RollBacks
from serving.models.repository import Repository
from serving.models.stores.keeper import Keeper
from serving.pipeline.classifier import Classifier
from serving.pipeline.prediction import Predictor
from serving.pipeline.recording import RecordedPipeline
from serving.pipeline.room import Bounds
from serving.pipeline.routed import RoutedPipeline
from serving.pipeline.router import Router
from serving.pipeline.surface import Pipeline
from serving.request_log.recorder import Recorder
from serving.settings import Settings
from serving.supply import limits_of

_ADMINISTRATION = administration_pb2.DESCRIPTOR.services_by_name["Administration"]
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
_REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]

# gRPC's own stop drops calls that it has received and not handed over yet. So for as long as such a call may
# take to come through, new calls are still taken in, and refused by a status.
_REFUSING_SECONDS = 0.25


class Server:
    """A server that answers on its ports from `start` to `stop`."""

    def __init__(
        self,
        settings: Settings,
        repository: Repository,
        metrics: Metrics,
        manager: Manager | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        """`manager` keeps `repository` as its directory says; without one, what is served never changes. `keeper` keeps
        that directory as a store says, where models are in one.
        """
        self.repository = repository
        self.locks = Locks(settings, metrics, time.monotonic)
        self.grpc_port = self.http_port = self.admin_port = 0
        self._settings = settings
        self._manager = manager
        self._keeper = keeper
        self._tasks: list[asyncio.Task[None]] = []
        classifier = Classifier(
            repository,
            limits_of(settings),
            metrics,
            time.monotonic,
            settings.decoding_threads,
            Bounds(pixels=settings.max_decoding_pixels, bytes=settings.max_bytes_in_flight),
            settings.cache_bytes,
        )
        router = Router(repository, metrics, time.monotonic)
        self._classifier: Pipeline = RoutedPipeline(classifier, router, metrics, time.monotonic)
        self._recorder = _recorder(settings, metrics)
        if self._recorder:
            self._classifier = RecordedPipeline(self._classifier, self._recorder, time.monotonic)
        self._drain = Drain()
        self._protocols = Protocols(
            self._classifier,
            router,
            Predictor(classifier.memory),
            repository,
            metrics,
            time.monotonic,
            settings.stream_window,
            self._drain,
        )
        self._health = HealthDoor()
        self._ready = asyncio.Event()
        self._grpc = self._public_server()
        self._roll_backs: RollBacks | None = None
        self._administration = self._admin_server(manager) if manager else None
        self._http = self._http_server(metrics)

    async def start(self) -> None:
        """Opens its ports, that of admin calls too where there is a manager. Raises OSError where one is taken."""
        settings, credentials = self._settings, self.locks.grpc_credentials
        self.grpc_port = bind(self._grpc, "gRPC", settings.host, settings.grpc_port, credentials)
        if self._administration:
            host, port = settings.admin_host, settings.admin_port
            self.admin_port = bind(self._administration, "admin", host, port, credentials)
        # Last of those that may be taken: a port of HTTP is open from here on.
        self.http_port = await listen(self._http, settings.host, settings.http_port)
        if self._administration:
            await self._administration.start()
        for service in ("", *self._protocols.services):
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self._health.tell_of(self.repository)
        self._tasks.append(asyncio.create_task(self._health.keep_telling_of(self.repository)))
        if self._manager and settings.poll_seconds:
            self._tasks.append(asyncio.create_task(self._manager.keep_looking(settings.poll_seconds)))
        if self._keeper and settings.store_poll_seconds:
            polling = self._keeper.run(settings.store_poll_seconds, self.repository)
            self._tasks.append(asyncio.create_task(polling))
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
        if self._roll_backs:
            await self._roll_backs.written()
        if self._recorder:
            await asyncio.to_thread(self._recorder.close)
        at_rest = await asyncio.gather(*(servable.close() for servable in self.repository.servables))
        return all(at_rest)

    def _public_server(self) -> grpc.aio.Server:
        server = self._behind(self.locks.entrance)
        server.add_generic_rpc_handlers(self._protocols.handlers)
        services = (*self._protocols.services, _HEALTH.full_name, _REFLECTION.full_name)
        told_of = reflection.ReflectionServicer(services)
        server.add_generic_rpc_handlers(
            (refusing_handlers_of(_HEALTH, self._health), refusing_handlers_of(_REFLECTION, told_of))
        )
        return server

    def _admin_server(self, manager: Manager) -> grpc.aio.Server:
        """A server of its own, so that the public port has no such calls."""
        server = self._behind(self.locks.admin_entrance)
        administrator = Administrator(manager)
        self._roll_backs = RollBacks(administrator)
        manager.repository.trials.keep_by(self._roll_backs.keep)
        refresher = Refresher(manager, partial(self._keeper.look, manager.repository) if self._keeper else None)
        door = AdministrationDoor(administrator, refresher, manager.repository)
        configured = self._settings.model_config_file or self._settings.model_base_path
        configuration = Configuration(manager, replaceable=configured is not None)
        handlers = handlers_for_administrators(administrator, configuration, manager.repository)
        server.add_generic_rpc_handlers((refusing_handlers_of(_ADMINISTRATION, door), *handlers))
        return server

    def _behind(self, entrance: Entrance) -> grpc.aio.Server:
        """A gRPC server whose calls pass `entrance`."""
        return grpc.aio.server(
            interceptors=[
                EntranceInterceptor(entrance, self._settings.idle_seconds),
                InflatingInterceptor(longest_message(self._settings)),
            ],
            options=[
                *grpc_bounds(self._settings),
                ("grpc.so_reuseport", 0),  # two servers on one port would share its calls unseen
            ],
        )

    def _http_server(self, metrics: Metrics) -> HttpServer:
        settings = self._settings
        # In JSON a picture is base64, four characters to three bytes.
        longest = settings.max_picture_bytes * 4 // 3 + ROOM_AROUND_A_PICTURE
        app = http_app(metrics, self._ready.is_set, self._drain, self._protocols.routers, longest)
        bounds = HttpBounds(head_bytes=settings.max_header_bytes, connections=settings.max_connections)
        return HttpServer(EntranceMiddleware(app, self.locks.entrance), bounds, self.locks.http_context)


def _recorder(settings: Settings, metrics: Metrics) -> Recorder | None:
    """What keeps the request log; None where none is kept."""
    if settings.request_log is None:
        return None
    percent, pictures = settings.request_log_percent, settings.request_log_pictures
    return Recorder(settings.request_log, percent, pictures, settings.request_log_max_bytes, metrics)
