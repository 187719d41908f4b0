"""Carries out an administrator's orders, and lets no order stand that cannot be carried out."""

import asyncio
from collections.abc import Callable

from serving.errors import InvalidRequest, ModelRejected, NotServed
from serving.models.lifecycle.finishing import finished
from serving.models.lifecycle.manager import Manager
from serving.models.lifecycle.orders import PRODUCTION, Orders, read_orders, write_orders
from serving.models.lifecycle.states import State
from serving.models.trials.roll_back import RollBack


class Administrator:
    """Orders for the repository that a manager keeps. One is carried out after the other, to its end.

    Every method raises NotServed where there is no such model,
    version or label, ModelRejected where a version cannot be loaded or the orders cannot be kept, and InvalidRequest
    where models.yaml says otherwise.
    """

    def __init__(self, manager: Manager) -> None:
        """Orders are kept in the directory that `manager` looks into."""
        self._manager = manager
        self._root = manager.root
        self._turn = asyncio.Lock()

    async def load(self, name: str, version: int | None = None) -> None:
        """Serves `name` again, as its policy wants, and `version` whatever that wants. What failed is tried again."""
        await self._order(name, version, lambda orders: orders.load(name, version))

    async def unload(self, name: str, version: int | None = None) -> None:
        """Serves `version` of `name` no more, or nothing of it."""
        async with self._turn:
            await self._manager.look(whole=name)
            self._check_on_disk(name, version)
            if reasons := self._manager.needed_by(name, version):
                raise InvalidRequest(
                    f"What is unloaded is needed by nothing else; {name!r} {version or ''} is by {', '.join(reasons)}. "
                    "Take it from there first."
                )
            await finished(self._keep(name, lambda orders: orders.unload(name, version)))

    async def set_label(self, name: str, label: str, version: int) -> None:
        """Has `label` name `version`, once that is ready."""
        if not label:
            raise InvalidRequest("A label has a name; an empty one came.")
        await self._order(name, version, lambda orders: orders.label(name, label, version))

    async def remove_label(self, name: str, label: str) -> None:
        """Takes back what `set_label` gave."""
        await self._order(name, None, lambda orders: orders.remove_label(name, label))

    async def promote(self, name: str, version: int) -> None:
        """Has production name `version`, and remembers what it named."""
        await self._order(
            name, version, lambda orders: orders.promote(name, version, self._manager.labels(name).get(PRODUCTION))
        )

    async def roll_back(self, name: str) -> None:
        """Has production name what it did before the last promotion."""
        orders = await asyncio.to_thread(read_orders, self._root)
        version = orders.roll_back(name).labels[name][PRODUCTION]
        await self._order(name, version, lambda orders: orders.roll_back(name))

    async def keep_roll_back(self, name: str, roll_back: RollBack) -> None:
        """Writes down that a canary of `name` gets no more calls, which it does not already."""
        async with self._turn:
            await finished(self._write(lambda orders: orders.keep_roll_back(name, roll_back)))

    async def _order(self, name: str, version: int | None, change: Callable[[Orders], Orders]) -> None:
        """Has the orders `change`, and `version` ready by that; else they are as they were."""
        async with self._turn:
            await self._manager.look(whole=name)
            self._check_on_disk(name, version)
            self._manager.try_again(name, version)
            await finished(self._carry_out(name, version, change))

    async def _carry_out(self, name: str, version: int | None, change: Callable[[Orders], Orders]) -> None:
        before = await self._keep(name, change)
        status = next((each for each in self._manager.repository.status(name) if each.version == version), None)
        if version and (status is None or status.state is not State.AVAILABLE):
            await self._keep(name, lambda _: before)
            reason = status.error if status else "it is gone"
            raise ModelRejected(f"Version {version} of {name!r} cannot be loaded, and all is as it was: {reason}")

    async def _keep(self, name: str, change: Callable[[Orders], Orders]) -> Orders:
        """Writes the orders down, and has them carried out. Gives those that stood before."""
        before = await self._write(change)
        await self._manager.look(whole=name)
        await self._manager.settled(name)
        return before

    async def _write(self, change: Callable[[Orders], Orders]) -> Orders:
        """Gives the orders that stood before."""

        def rewrite() -> Orders:
            before = read_orders(self._root)
            write_orders(self._root, change(before))
            return before

        try:
            return await asyncio.to_thread(rewrite)
        except OSError as error:
            raise ModelRejected(
                f"Orders are kept beside the models; {self._root} cannot be written to ({error.strerror}). "
                "Declare labels in models.yaml instead, or let the server write there."
            ) from error

    def _check_on_disk(self, name: str, version: int | None) -> None:
        found = self._manager.on_disk(name)
        if not found or (version is not None and version not in found):
            raise NotServed(
                f"A version has to lie in {self._root}; {name!r} {version or ''} does not, "
                f"{sorted(found) if found else 'nothing of that name'} does. Copy it there first."
            )
