"""Calls of signatures beside the batches of a servable: one at a time, and not any number of them."""

import asyncio
import threading

import numpy as np
import pytest

from serving.errors import InvalidRequest, NoSuchSignature, Overloaded
from serving.models.plain import PlainVersion
from serving.models.signature_calls import MAX_WAITING
from serving.models.signatures import PREDICT, Signature, Signatures, TensorSpec, find
from tests.serving.fakes import PATIENCE, FakeClock, FreeEngine, fake_servable
from tests.serving.loops import on_a_loop

DOUBLE = Signature(
    "double", PREDICT, {"x": TensorSpec("x:0", "DT_FLOAT", (None, 2))}, {"y": TensorSpec("y:0", "DT_FLOAT", None)}
)
X = {"x": np.array([[1, 2]], np.float32)}


class HeldSignatures(Signatures):
    """Doubles, each call once the test lets it go on."""

    def __init__(self) -> None:
        self.all = {"double": DOUBLE}
        self.running = self.most = 0
        self.closed = False
        self.entered, self.go_on = threading.Semaphore(0), threading.Semaphore(0)

    def run(self, signature, inputs, outputs):
        self.running += 1
        self.most = max(self.most, self.running)
        self.entered.release()
        assert self.go_on.acquire(timeout=PATIENCE), "the test never let it go on"
        self.running -= 1
        return dict.fromkeys(outputs, 2 * inputs["x"])

    def close(self) -> None:
        self.closed = True


def asked(version):
    async def doubled():
        running = await version.signature_calls.begin(DOUBLE, X, ["y"])
        return await asyncio.shield(running.arrays)

    return asyncio.ensure_future(doubled())


@on_a_loop
async def test_calls_run_one_at_a_time_beside_batches_of_the_same_version():
    signatures = HeldSignatures()
    engine = FreeEngine()
    engine.batches_in_flight = 4
    servable = fake_servable(engine=engine, signatures=signatures)
    calls = [asked(servable) for _ in range(3)]
    for _ in calls:
        assert await asyncio.to_thread(signatures.entered.acquire, timeout=PATIENCE)
        signatures.go_on.release()
    for answer in await asyncio.gather(*calls):
        np.testing.assert_array_equal(answer["y"], [[2, 4]])
    assert signatures.most == 1
    await servable.close()
    assert signatures.closed


@on_a_loop
async def test_more_calls_than_may_wait_are_refused_and_those_who_go_leave_their_place():
    signatures = HeldSignatures()
    servable = fake_servable(signatures=signatures)
    calls = [asked(servable) for _ in range(MAX_WAITING + 1)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await servable.signature_calls.begin(DOUBLE, X, ["y"])
    calls[-1].cancel()
    await asyncio.wait({calls[-1]})
    calls[-1] = asked(servable)
    for _ in calls:
        signatures.go_on.release()
    assert len(await asyncio.gather(*calls)) == MAX_WAITING + 1
    await servable.close()


@on_a_loop
async def test_a_caller_who_goes_while_its_call_runs_lets_no_other_begin_beside_it():
    signatures = HeldSignatures()
    engine = FreeEngine()
    engine.batches_in_flight = 4
    servable = fake_servable(engine=engine, signatures=signatures)
    gone, next_one = asked(servable), asked(servable)
    assert await asyncio.to_thread(signatures.entered.acquire, timeout=PATIENCE)
    gone.cancel()
    await asyncio.wait({gone})
    for _ in range(20):  # turns of the loop, in which the next would begin
        await asyncio.sleep(0)
    assert not signatures.entered.acquire(blocking=False)
    for _ in range(2):
        signatures.go_on.release()
    await next_one
    assert signatures.most == 1
    await servable.close()


@on_a_loop
async def test_calls_that_run_are_not_counted_among_those_that_wait():
    signatures = HeldSignatures()
    version = plain(signatures)
    calls = [asked(version) for _ in range(MAX_WAITING + 2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await version.signature_calls.begin(DOUBLE, X, ["y"])
    for _ in calls:
        signatures.go_on.release()
    assert len(await asyncio.gather(*calls)) == MAX_WAITING + 2
    assert await version.close()


@pytest.mark.parametrize(
    ("dtype", "shape"), [("DT_DOUBLE", (1, 2)), ("DT_FLOAT", (1, 3)), ("DT_FLOAT", (2,)), ("DT_FLOAT", (1, 2, 1))]
)
def test_a_tensor_of_another_type_or_shape_is_refused(dtype, shape):
    with pytest.raises(InvalidRequest, match="DT_FLOAT of shape"):
        DOUBLE.check_input("x", dtype, shape)


def test_a_size_that_is_open_takes_any():
    for count in (0, 1, 7):
        DOUBLE.check_input("x", "DT_FLOAT", (count, 2))
    assert DOUBLE.outputs["y"].takes((1, 2, 3))


def test_a_version_that_is_no_saved_model_has_no_signatures():
    with pytest.raises(NoSuchSignature):
        find(fake_servable().signature_calls.signatures, "serving_default")


def plain(signatures):
    return PlainVersion("doubles", 1, signatures, threads=2, clock=FakeClock())


@pytest.mark.parametrize(
    "kind", [lambda signatures: fake_servable(signatures=signatures), plain], ids=["card", "plain"]
)
@on_a_loop
async def test_a_version_does_not_end_under_a_call_whose_caller_has_gone(kind):
    signatures = HeldSignatures()
    version = kind(signatures)
    call = asked(version)
    assert await asyncio.to_thread(signatures.entered.acquire, timeout=PATIENCE)
    call.cancel()
    closing = asyncio.ensure_future(version.close(patience=None))
    for _ in range(20):  # turns of the loop, in which it would close if it did not wait
        await asyncio.sleep(0)
    assert not signatures.closed
    signatures.go_on.release()
    assert await closing
    assert signatures.closed


@on_a_loop
async def test_a_version_without_a_card_whose_call_does_not_end_says_so():
    signatures = HeldSignatures()
    version = plain(signatures)
    call = asked(version)
    assert await asyncio.to_thread(signatures.entered.acquire, timeout=PATIENCE)
    assert not await version.close(patience=0)
    assert not signatures.closed
    signatures.go_on.release()
    await call


@on_a_loop
async def test_calls_of_a_version_without_a_card_run_side_by_side():
    signatures = HeldSignatures()
    version = plain(signatures)
    calls = [asked(version) for _ in range(3)]
    for _ in range(2):
        assert await asyncio.to_thread(signatures.entered.acquire, timeout=PATIENCE)
    assert signatures.running == 2
    for _ in calls:
        signatures.go_on.release()
    await asyncio.gather(*calls)
    assert signatures.most == 2
    assert await version.close()
