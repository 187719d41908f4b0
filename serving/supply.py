"""Where served models come from: what loads a version, and what keeps all of them as a directory or a store says."""

import logging
import time
from functools import partial
from pathlib import Path

from serving.cores import cores
from serving.doors.tf_serving import warm_up
from serving.metrics import Metrics
from serving.models.card import CARD_PATH
from serving.models.declaration import ModelDeclaration
from serving.models.engines.loading import EngineLoader, load_dense
from serving.models.engines.operations import Trust
from serving.models.engines.safety import check_safety
from serving.models.engines.saved_model import SavedModelSignatures
from serving.models.lifecycle.manager import Manager
from serving.models.loaded_version import LoadedVersion
from serving.models.plain import PlainVersion
from serving.models.servable import Batching, Servable
from serving.models.stores.address import local_models
from serving.models.stores.keeper import Keeper
from serving.pipeline.picture import Limits
from serving.request_log import warming
from serving.settings import Settings

log = logging.getLogger(__name__)


def manager_of(settings: Settings, metrics: Metrics) -> Manager:
    """What loads and warms up what `settings.models` holds, and keeps up with it."""
    batching = Batching.of(settings.max_batch_size, settings.max_queue_rows)

    def with_card(directory: Path, declared: ModelDeclaration) -> Servable:
        observer = metrics.queue_observer(directory.parent.name, int(directory.name))
        batched = batching.declared(declared)
        engines = _engines(settings, declared, batched)
        dense = partial(load_dense, threads=settings.engine_threads)
        servable = Servable.load(directory, engines, batched, time.monotonic, observer, dense, SavedModelSignatures)
        if settings.warm_up_log:
            warming.warm_up(servable, settings.warm_up_log, limits_of(settings))
        return servable

    def load(directory: Path, declared: ModelDeclaration) -> LoadedVersion:
        has_card = (directory / CARD_PATH).exists()
        version: LoadedVersion = with_card(directory, declared) if has_card else _plain(settings, directory, declared)
        warm_up.replay(directory, version)
        return version

    root = local_models(settings.models, settings.cache_directory)
    return Manager(root, load, metrics, settings.max_model_bytes, settings.settle_seconds)


def limits_of(settings: Settings) -> Limits:
    """Of a picture, whoever sends it."""
    return Limits(max_bytes=settings.max_picture_bytes, max_pixels=settings.max_picture_pixels)


def keeper_of(settings: Settings, metrics: Metrics) -> Keeper | None:
    """What mirrors the store that models are in; None where they are in a directory. Raises StoreFailed."""
    if isinstance(settings.models, Path):
        return None
    observer = metrics.store_observer(settings.models)
    return Keeper.of(settings.models, settings.cache_directory, settings.settle_seconds, observer)


def _plain(settings: Settings, directory: Path, declared: ModelDeclaration) -> PlainVersion:
    """A version without a card. Raises ModelRejected where its graph may do more than compute, or does not load."""
    check_safety(directory, _trust(settings, declared))
    signatures = SavedModelSignatures.loaded(directory)
    threads = _side_by_side(settings)
    return PlainVersion(directory.parent.name, int(directory.name), signatures, threads, time.monotonic)


def _side_by_side(settings: Settings) -> int:
    """Runs of a model at a time. A core is left to the event loop."""
    return max(1, (cores() - 1) // settings.engine_threads)


def _engines(settings: Settings, declared: ModelDeclaration, batching: Batching) -> EngineLoader:
    """What makes the engine of a model."""
    sizes = batching.allowed_batch_sizes
    return EngineLoader(
        declared.engine or settings.engine,
        declared.precision or settings.precision,
        threads=settings.engine_threads,
        streams=_side_by_side(settings),
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
