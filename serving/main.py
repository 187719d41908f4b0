"""The composition root: settings to repository to server, until a signal ends it."""

import asyncio
import logging
import signal
from collections.abc import Callable

from serving.metrics import Metrics
from serving.models.lifecycle.memory import spare_what_stays
from serving.server import Server
from serving.settings import Settings
from serving.startup import Startup
from serving.supply import keeper_of, manager_of

log = logging.getLogger(__name__)


async def serve(settings: Settings, startup: Startup, announce: Callable[[Server], None]) -> bool:
    """Serves until SIGTERM or SIGINT, then drains. `announce(server)` is called once calls are answered. The log says
    where the seconds until then went, by `startup`.

    Returns whether every engine came to rest; where one did not, its thread outlives the event loop.
    """
    spare_what_stays()
    metrics = Metrics()
    keeper = keeper_of(settings, metrics)
    if keeper:
        await keeper.sync()
        startup.ended("mirroring")
    manager = manager_of(settings, metrics)
    repository = await manager.start()
    startup.ended("models")
    server = Server(settings, repository, metrics, manager, keeper)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # until here nothing can be lost, and either ends the process
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await server.start()
    startup.ended("ports")
    log.info("ready in %s", startup)
    announce(server)
    await stopping.wait()
    return await server.stop()
