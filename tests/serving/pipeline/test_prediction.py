"""How long a question about tensors holds how many bytes."""

import asyncio
import math

import numpy as np
import pytest

from serving.aside import MANY_ELEMENTS
from serving.errors import EngineFailed, Overloaded
from serving.models.engines.engine import SIGNATURE
from serving.models.signatures import PREDICT, Signature, TensorSpec
from serving.pipeline.prediction import Predictor
from serving.pipeline.room import Room
from tests.serving.fakes import PATIENCE, HeldEngine, fake_servable
from tests.serving.loops import on_a_loop
from tests.serving.models.test_signature_calls import DOUBLE, HeldSignatures, X, plain

ROWS = Signature(
    SIGNATURE,
    PREDICT,
    {"pictures": TensorSpec("pictures:0", "DT_UINT8", (None, 8, 8, 1))},
    {"logits": TensorSpec("logits:0", "DT_FLOAT", (None, 3))},
)


def free(room: Room) -> int:
    """Bytes that another model could take."""
    return room._whole - room._in_all


async def entered(signatures: HeldSignatures) -> None:
    assert await asyncio.to_thread(signatures.entered.acquire, timeout=PATIENCE)


@on_a_loop
async def test_inputs_are_held_from_waiting_for_a_turn_until_they_have_run():
    signatures, room = HeldSignatures(), Room(1000, "bytes")
    servable, predictor = fake_servable(signatures=signatures), Predictor(room)
    first, second = (asyncio.ensure_future(predictor.run(servable, DOUBLE, X, ["y"])) for _ in range(2))
    await entered(signatures)
    assert free(room) == 1000 - 2 * X["x"].nbytes
    second.cancel()
    await asyncio.wait({second})
    assert free(room) == 1000 - X["x"].nbytes
    first.cancel()
    await asyncio.wait({first})
    assert free(room) == 1000 - X["x"].nbytes
    signatures.go_on.release()
    await servable.close()
    assert free(room) == 1000


@on_a_loop
async def test_nothing_is_held_of_a_call_that_is_refused_or_fails():
    class Failing(HeldSignatures):
        def run(self, signature, inputs, outputs):
            raise EngineFailed("broken")

    room, version = Room(1000, "bytes"), plain(Failing())
    with pytest.raises(EngineFailed):
        await Predictor(room).run(version, DOUBLE, X, ["y"])
    assert free(room) == 1000
    room.take("another", 999)
    with pytest.raises(Overloaded, match="8 came, 0 of doubles"):
        await Predictor(room).run(version, DOUBLE, X, ["y"])
    assert free(room) == 1
    assert await version.close()


@pytest.mark.parametrize("count", [2, MANY_ELEMENTS + 1])
@on_a_loop
async def test_strings_are_held_with_all_of_their_bytes(count):
    signatures, room, strings = HeldSignatures(), Room(10**9, "bytes"), np.full(count, b"boot", object)
    version = plain(signatures)
    call = asyncio.ensure_future(Predictor(room).run(version, DOUBLE, {"x": strings}, ["y"]))
    await entered(signatures)
    assert free(room) == 10**9 - strings.nbytes - 4 * count
    call.cancel()
    await asyncio.wait({call})
    signatures.go_on.release()
    await version.close()


@on_a_loop
async def test_rows_of_batches_are_held_until_they_are_answered():
    engine, room, rows = HeldEngine(), Room(1000, "bytes"), np.zeros((2, 8, 8, 1), np.uint8)
    call = asyncio.ensure_future(
        Predictor(room).predict(fake_servable(engine=engine), ROWS, {"pictures": rows}, (), math.inf)
    )
    await asyncio.sleep(0)
    assert free(room) == 1000 - rows.nbytes
    engine.let_go()
    assert (await call).outputs["logits"].shape == (2, 3)
    assert free(room) == 1000
