"""Asks a gRPC port what was damaged, and counts how calls end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

import grpc
import grpc.aio
from google.protobuf import descriptor_pool

from tests.damage.calls import Call

_CALLERS = 32
_PATIENCE = 60.0
"""Seconds. A call that takes as long has been forgotten."""
_FAILED = b"The server failed"
"""How an answer in a stream says what the status INTERNAL would."""


class Told(NamedTuple):
    """How calls ended."""

    statuses: Counter[str]
    """How often each, by its name; INTERNAL where an answer in a stream says so."""
    examples: dict[str, str]
    """What was said with each, once."""


async def told(port: int, calls: Iterable[Call]) -> Told:
    """How `calls` end. Many callers at a time."""
    so_far = Told(Counter(), {})
    turns = iter(calls)

    async def caller() -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
            for call in turns:
                code, details = await _end(channel, call)
                so_far.statuses[code.name] += 1
                so_far.examples.setdefault(code.name, f"{call.method}: {details[:200]}")

    await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    return so_far


async def _end(channel: grpc.aio.Channel, call: Call) -> tuple[grpc.StatusCode, str]:
    """How `call` ended. A watch, which does not end, is left after its first answer."""
    kind = descriptor_pool.Default().FindMethodByName(call.original.replace("/", "."))
    how = {"metadata": call.metadata, "compression": call.compression, "timeout": _PATIENCE}
    path = f"/{call.method}"
    try:
        if kind.client_streaming:
            asked = channel.stream_stream(path)(_each(call.bodies), **how)
            async for answer in asked:
                if _FAILED in answer:
                    return grpc.StatusCode.INTERNAL, str(answer)
        elif kind.server_streaming:
            asked = channel.unary_stream(path)(call.bodies[0], **how)
            await asked.read()
            asked.cancel()
        else:
            await channel.unary_unary(path)(call.bodies[0], **how)
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


async def _each(bodies: Iterable[bytes]) -> AsyncIterator[bytes]:
    for body in bodies:
        yield body
