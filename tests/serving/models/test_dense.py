"""A servable's dense side: held against its card, a queue of its own in which calls never share a batch, one thread."""

import asyncio
import shutil
import threading

import numpy as np
import pytest

from serving.errors import InvalidRequest, ModelRejected
from serving.models import card as cards
from serving.models.dense import open_dense, rows_that_may_wait
from serving.models.engines.tensorflow import TensorFlowEngine, dense_engine
from serving.models.ensemble import Ensemble, Member
from serving.models.servable import Batching, Servable
from tests.serving.choir import SHADES_1, SHADES_2
from tests.serving.fakes import (
    FakeClock,
    FreeEngine,
    HeldEngine,
    RecordingObserver,
    brightness_logits,
    fake_card,
    fake_servable,
)
from tests.serving.loops import on_a_loop
from tests.serving.tiny import TinyModel

LATER = np.inf


def canvases(height, width):
    return np.zeros((2, height, width, 1), np.uint8)


def load(directory):
    batching = Batching.of(max_batch_size=2)
    return Servable.load(directory, TensorFlowEngine, batching, FakeClock(), RecordingObserver(), dense_engine)


@on_a_loop
async def test_a_version_that_promises_it_scores_whole_canvases(models_root):
    servable = load(models_root / "shades" / "2")
    rows = np.random.default_rng(0).integers(0, 256, (2, 15, 20, 3), np.uint8)
    scored = await servable.dense.submit(rows, LATER)
    np.testing.assert_allclose(scored.logits, [SHADES_2.dense_logits(row) for row in rows], rtol=1e-5)
    await servable.close()


@on_a_loop
async def test_a_version_that_promises_nothing_has_no_dense_side(models_root):
    servable = load(models_root / "shades" / "1")
    assert servable.dense is None
    await servable.close()


@pytest.mark.parametrize("what", ["no signature", "other scores", "one size only"])
def test_a_version_that_breaks_its_promise_is_rejected(models_root, tmp_path, what):
    version = shutil.copytree(models_root / "shades" / "1", tmp_path / "shades" / "1")
    card = TinyModel("shades", 1, seed=1, dense=True).card()
    card.files.extend(cards.describe_files(version))
    cards.write(card, version)
    shifted = FreeEngine(score=lambda rows: np.roll(SHADES_1.logits(rows), 1, axis=1).astype(np.float32))
    of_one_size = FreeEngine(score=lambda rows: SHADES_1.logits(rows).astype(np.float32))
    load_dense = {
        "no signature": dense_engine,
        "other scores": lambda directory: shifted,
        "one size only": lambda directory: of_one_size,
    }[what]
    message = {"no signature": "'dense'", "other scores": "differ by", "one size only": "canvases of 18x18 pixels"}[
        what
    ]
    with pytest.raises(ModelRejected, match=message):
        open_dense(card, version, load_dense)


@on_a_loop
async def test_canvases_of_different_pictures_never_share_a_batch():
    dense = FreeEngine()
    servable = fake_servable(dense=dense)
    await asyncio.gather(*(servable.dense.submit(canvases(8, width), LATER) for width in (8, 20, 8)))
    assert [batch.shape[:3] for batch in dense.batches] == [(2, 8, 8), (2, 8, 20), (2, 8, 8)]
    await servable.close()


@on_a_loop
async def test_crops_and_canvases_are_computed_in_one_thread():
    threads = []

    def score(rows):
        threads.append(threading.get_ident())
        return brightness_logits(rows)

    servable = fake_servable(engine=FreeEngine(score), dense=FreeEngine(score))
    await asyncio.gather(servable.submit(canvases(8, 8), LATER), servable.dense.submit(canvases(8, 20), LATER))
    assert len(threads) == 2
    assert len(set(threads)) == 1
    await servable.close()


@on_a_loop
async def test_a_canvas_that_waits_is_seen_and_a_canvas_that_is_computed_is_waited_for():
    dense = HeldEngine()
    servable = fake_servable(dense=dense)
    call = servable.dense.submit(canvases(8, 8), LATER)
    assert servable.queued_rows == 2
    while not dense.batches:
        await asyncio.sleep(0)
    assert not await servable.close(patience=0.01)
    dense.let_go()
    assert await servable.close(patience=10)
    assert len((await call).logits) == 2


def test_as_many_canvases_may_wait_as_hold_the_samples_of_so_many_crops():
    assert rows_that_may_wait(fake_card(), 1024) == 256
    assert rows_that_may_wait(fake_card(), 1) == 4


def test_an_ensemble_has_it_where_every_member_has():
    with_it, without = fake_servable("a", dense=FreeEngine()), fake_servable("b")
    everywhere = Ensemble("pair", (Member(with_it, 2.0),), 1).dense
    assert [(member.servable, member.weight) for member in everywhere.members] == [(with_it.dense, 2.0)]
    with pytest.raises(InvalidRequest, match="fully convolutional form; b has none"):
        Ensemble("pair", (Member(with_it), Member(without)), 1).dense  # noqa: B018
