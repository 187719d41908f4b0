"""TensorFlow Serving's configuration of models, replaced while models are served."""

import asyncio
from collections.abc import Iterator

from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.errors import ModelRejected
from serving.models.lifecycle.finishing import finished
from serving.models.lifecycle.manager import Manager
from serving.models.lifecycle.states import State
from serving.models.tf_serving_config import Layout, layout_of, models_of


class Configuration:
    """What a manager's directory was laid out by. One is replaced after the other."""

    def __init__(self, manager: Manager, replaceable: bool) -> None:
        """`replaceable` says whether the directory is a layout of TensorFlow Serving's settings: others are not ours to
        change.
        """
        self._manager = manager
        self._replaceable = replaceable
        self._turn = asyncio.Lock()

    async def reload(self, config: ModelServerConfig) -> None:
        """Serves the models of `config`, and no others, once all of them are ready; where one cannot be, all stays as
        it was.

        Raises ModelRejected where `config` makes no sense, where a model of it has no version that is ready or a label
        without one, and where models lie in a directory that no such configuration made.
        """
        if not self._replaceable:
            raise ModelRejected(
                "A configuration replaces that of --model-config-file or --model-base-path; models here are those of a "
                f"directory, {self._manager.root}. Start with one of these, or change what lies there."
            )
        wanted = layout_of(models_of(config, "what came"))
        async with self._turn:
            await finished(self._replace(wanted))

    async def _replace(self, wanted: Layout) -> None:
        before = await asyncio.to_thread(Layout.read, self._manager.root)
        try:
            await self._head_for(wanted.beside(before))
            if reasons := list(self._missing(wanted)):
                raise ModelRejected(
                    f"Every model that is configured has to be ready, and all is as it was: {'; '.join(reasons)}"
                )
            await self._head_for(wanted)
        except Exception:
            await self._head_for(before)
            raise

    async def _head_for(self, layout: Layout) -> None:
        await self._manager.rearrange(layout.write)
        await self._manager.settled()

    def _missing(self, wanted: Layout) -> Iterator[str]:
        """What of `wanted` is not served."""
        repository = self._manager.repository
        for name in wanted.places:
            statuses = repository.statuses.get(name, ())
            model = repository.models.get(name)
            labels = model.labels if model else {}
            errors = "; ".join(each.error for each in statuses if each.error) or "no version lies there"
            if not any(each.state is State.AVAILABLE for each in statuses):
                yield f"{name!r} has no version that is ready: {errors}"
            elif lacking := {
                label for label, version in wanted.labels.get(name, {}).items() if labels.get(label) != version
            }:
                yield (
                    f"the labels {sorted(lacking)} of {name!r} are elsewhere: their versions are not ready, or an "
                    "administrator set them"
                )
