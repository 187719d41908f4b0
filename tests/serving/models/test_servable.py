"""Loading a version whole: a real SavedModel that somebody tampered with is rejected, and never crashes the server."""

import asyncio
import shutil

import numpy as np
import pytest

from protos.classification_pb2 import ModelSpec
from serving.errors import ModelRejected, Overloaded
from serving.metrics import Metrics
from serving.models import card as cards
from serving.models.declaration import ModelDeclaration
from serving.models.engines.tensorflow import TensorFlowEngine, dense_engine
from serving.models.lifecycle.manager import Manager
from serving.models.servable import Batching, Servable
from tests.serving.choir import SHADES_1
from tests.serving.fakes import FakeClock, FreeEngine, HeldEngine, RecordingObserver
from tests.serving.loops import on_a_loop
from tests.serving.tiny import TinyModel

BATCHING = Batching.of(max_batch_size=2)


def load(directory, declared=None):
    return Servable.load(directory, TensorFlowEngine, BATCHING, FakeClock(), RecordingObserver(), dense_engine)


@pytest.fixture
def shades(models_root, tmp_path):
    """A copy of shades 1 that a test may change, beside nothing else."""
    return shutil.copytree(models_root / "shades" / "1", tmp_path / "shades" / "1")


def flip_a_byte(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(content)


def write_card_of(model, directory):
    """The card of another model, with the hashes of this one's files."""
    card = model.card()
    card.files.extend(cards.describe_files(directory))
    cards.write(card, directory)


TAMPERINGS = {
    "a byte of the weights": lambda version: flip_a_byte(next(version.glob("variables/*.data*")), 100),
    "a byte of the weights' index": lambda version: flip_a_byte(version / "variables" / "variables.index", 40),
    "a byte of the graph's head": lambda version: flip_a_byte(version / "saved_model.pb", 1),
    "a byte of the graph": lambda version: flip_a_byte(version / "saved_model.pb", 700),
    "no graph": lambda version: (version / "saved_model.pb").unlink(),
    "half a graph": lambda version: (version / "saved_model.pb").write_bytes(
        (version / "saved_model.pb").read_bytes()[:900]
    ),
    "no weights": lambda version: shutil.rmtree(version / "variables"),
    "half the weights": lambda version: next(version.glob("variables/*.data*")).write_bytes(bytes(10)),
    "no card": lambda version: (version / cards.CARD_PATH).unlink(),
    "a card of a smaller input": lambda version: write_card_of(TinyModel("shades", 1, seed=1, side=10), version),
    "a card of a grey input": lambda version: write_card_of(TinyModel("shades", 1, seed=1, channels=1), version),
    "a card of other weights": lambda version: write_card_of(TinyModel("shades", 1, seed=9), version),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_tampered_version_is_rejected(shades, what):
    TAMPERINGS[what](shades)
    with pytest.raises(ModelRejected):
        load(shades)


@pytest.mark.parametrize("what", ["a byte of the weights", "no weights", "a card of a grey input"])
def test_a_tampered_version_gives_way_to_the_one_before_it(shades, what):
    newest = shutil.copytree(shades, shades.parent / "2")
    TAMPERINGS[what](newest)
    manager = Manager(shades.parent.parent, lambda directory, _: load(directory), Metrics())
    repository = asyncio.run(manager.start())
    assert repository.find(ModelSpec(name="shades")).members[0].servable.version == 1


def test_a_version_is_named_by_where_it_lies(shades):
    servable = load(shades)
    assert (servable.name, servable.version) == ("shades", 1)


def test_a_version_meets_every_batch_size_before_it_is_ready(shades):
    engine = FreeEngine(score=lambda rows: SHADES_1.logits(rows).astype(np.float32))
    batching = Batching.of(max_batch_size=6)
    Servable.load(shades, lambda _: engine, batching, FakeClock(), RecordingObserver(), dense_engine)
    after_golden_inputs = [len(rows) for rows in engine.batches[1:]]
    assert sorted(set(after_golden_inputs)) == [1, 2, 4, 6]


def test_how_long_a_batch_takes_is_known_before_the_first_call(shades):
    clock = FakeClock()

    def score(rows):
        clock.advance(1.5)
        return SHADES_1.logits(rows).astype(np.float32)

    servable = Servable.load(shades, lambda _: FreeEngine(score), BATCHING, clock, RecordingObserver(), dense_engine)

    @on_a_loop
    async def ask():
        row = np.zeros((1, *SHADES_1.input_shape), np.uint8)
        first = servable.submit(row, np.inf)
        with pytest.raises(Overloaded, match=r"alone take 1\.5 s"):
            servable.submit(row, clock() + 1.4)
        await first
        await servable.close()

    ask()


def test_as_many_batches_run_side_by_side_as_the_engine_allows(shades):
    engine = HeldEngine(score=lambda rows: SHADES_1.logits(rows).astype(np.float32))
    engine.batches_in_flight = 2
    card = cards.read(shades)

    @on_a_loop
    async def ask():
        servable = Servable("shades", 1, card, engine, Batching((1,)), FakeClock(), RecordingObserver())
        both = [servable.submit(np.zeros((1, *SHADES_1.input_shape), np.uint8), np.inf) for _ in range(2)]
        for _ in both:
            await asyncio.to_thread(engine.wait_until_busy)
        engine.let_go()
        await asyncio.gather(*both)
        await servable.close()

    ask()


@pytest.mark.parametrize(
    ("largest", "allowed"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (64, (1, 2, 4, 8, 16, 32, 64))]
)
def test_batches_are_padded_to_powers_of_two_and_the_largest(largest, allowed):
    assert Batching.of(max_batch_size=largest).allowed_batch_sizes == allowed


@on_a_loop
async def test_a_servable_scores_what_is_submitted_to_it(models_root):
    servable = load(models_root / "shades" / "1")
    rows = np.random.default_rng(0).integers(0, 256, (3, *SHADES_1.input_shape), np.uint8)
    scored = await servable.submit(rows, np.inf)
    np.testing.assert_array_equal(scored.logits, SHADES_1.logits(rows).astype(np.float32))
    await servable.close()


@pytest.mark.parametrize(
    ("declared", "sizes", "room"),
    [
        ({}, (1, 2, 4, 8), 50),
        ({"max_batch_size": 3}, (1, 2, 3), 50),
        ({"allowed_batch_sizes": [2, 6]}, (2, 6), 50),
        ({"max_queue_rows": 7}, (1, 2, 4, 8), 7),
    ],
)
def test_a_model_may_be_batched_in_its_own_way(declared, sizes, room):
    batching = Batching.of(max_batch_size=8, max_queue_rows=50).declared(ModelDeclaration(**declared))
    assert batching == Batching(sizes, room)
