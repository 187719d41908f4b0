"""Has roll-backs of canaries outlive the server that counted the evidence."""

import asyncio
import logging

from serving.errors import TencropError
from serving.models.lifecycle.administrator import Administrator
from serving.models.trials.roll_back import RollBack

log = logging.getLogger(__name__)


class RollBacks:
    """Writes each down among the orders of administrators, while calls are answered. Lives on one event loop."""

    def __init__(self, administrator: Administrator) -> None:
        self._administrator = administrator
        self._writing: set[asyncio.Task[None]] = set()

    def keep(self, name: str, roll_back: RollBack) -> None:
        """Returns at once. What cannot be written holds until the server stops, and the log says so."""
        task = asyncio.create_task(self._keep(name, roll_back))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def written(self) -> None:
        """Returns once all are."""
        await asyncio.gather(*self._writing)

    async def _keep(self, name: str, roll_back: RollBack) -> None:
        try:
            await self._administrator.keep_roll_back(name, roll_back)
        except TencropError as error:
            log.warning(
                "%s version %s is rolled back until this server stops, and no longer: %s",
                name,
                roll_back.version,
                error,
            )
