"""Asks a gRPC port what was damaged, and counts how calls end."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import grpc
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


def told(port: int, calls: Iterable[Call]) -> Told:
    """How `calls` end, that are made by many callers, each on a connection of its own.

    In threads: of a stream that the server ended early, grpc.aio's client does not tell how.
    """
    so_far, turns, one_at_a_time = Told(Counter(), {}), iter(calls), threading.Lock()

    def caller() -> None:
        with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
            while call := _next(turns, one_at_a_time):
                code, details = _end(channel, call)
                with one_at_a_time:
                    so_far.statuses[code.name] += 1
                    so_far.examples.setdefault(code.name, f"{call.method[:100]}: {details[:200]}")

    with ThreadPoolExecutor(_CALLERS) as callers:
        for each in [callers.submit(caller) for _ in range(_CALLERS)]:
            each.result()
    return so_far


def _next(turns: Iterator[Call], one_at_a_time: threading.Lock) -> Call | None:
    with one_at_a_time:
        return next(turns, None)


def _end(channel: grpc.Channel, call: Call) -> tuple[grpc.StatusCode, str]:
    """How `call` ended, and what was said. A watch, which does not end, is left after its first answer."""
    kind = descriptor_pool.Default().FindMethodByName(call.original.replace("/", "."))
    how = {"metadata": call.metadata, "compression": call.compression, "timeout": _PATIENCE}
    path = f"/{call.method}"
    try:
        if kind.client_streaming:
            for answer in channel.stream_stream(path)(iter(call.bodies), **how):
                if _FAILED in answer:
                    return grpc.StatusCode.INTERNAL, repr(answer)
        elif kind.server_streaming:
            watch = channel.unary_stream(path)(call.bodies[0], **how)
            next(watch)
            watch.cancel()
        else:
            channel.unary_unary(path)(call.bodies[0], **how)
    except grpc.RpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""
