"""Calls of gRPC with random damage: to their messages, to the bytes of these, and to what goes around them."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import grpc

from tests.damage.originals import Original
from tests.damage.values import contradict
from tests.damage.wire import damage

_TOKENS = (
    *(b"\xff" * 10, b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x80" * 11, b"\0", b"\x0a\x7f"),
    *(b"\x0b" * 200, b"\x0a\x02" * 200, b"\x0c", b"\xf8\xff\xff\xff\x0f", b"\x1a\xff\xff\xff\xff\x07", bytes(60_000)),
)
"""Lengths and numbers that end nowhere or are too large, groups in groups, messages in messages."""

_METADATA = (
    *(
        ("authorization", "Bearer x"),
        ("x-request-id", "x" * 5_000),
        ("traceparent", "00-zz-zz-zz"),
        ("note", "x" * 9_000),
    ),
    *(("note", "x" * 40_000), ("note-bin", b"\xff\0" * 40), ("note", "x" * 17_000), ("x-request-id", "%0d%0a")),
)


class Call(NamedTuple):
    """One, as it is sent."""

    original: str
    """The method that it was a call of."""
    method: str
    bodies: Sequence[bytes]
    metadata: Sequence[tuple[str, str | bytes]] = ()
    compression: grpc.Compression = grpc.Compression.NoCompression


def damaged(originals: Sequence[Original], seed: int) -> Iterator[Call]:
    """Calls without end, each one of `originals` but for some damage; the same for the same seed."""
    chance = random.Random(seed)
    while True:
        original = chance.choice(originals)
        how = chance.random()
        bodies = [_serialised(message, how, chance) for message in original.messages]
        call = Call(original.method, original.method, bodies)
        yield call if how < 0.8 else _around(call, chance)


def _serialised(message, how: float, chance: random.Random) -> bytes:
    copy = type(message)()
    copy.CopyFrom(message)
    if how < 0.5:
        contradict(copy, chance)
    body = bytearray(copy.SerializeToString())
    if 0.4 < how < 0.8:
        damage(body, chance, _TOKENS)
    return bytes(body)


def _around(call: Call, chance: random.Random) -> Call:
    """`call` by another name, with metadata that nobody wants, or compressed."""
    how = chance.randrange(4)
    if how == 0:
        name = bytearray(call.method.encode())
        damage(name, chance, (b"/", b"/../", b"x" * 5_000, b"Stream"))
        return call._replace(method="".join(chr(33 + byte % 94) for byte in name))
    if how == 1:
        return call._replace(metadata=chance.choices(_METADATA, k=chance.randint(1, 3)))
    compression = chance.choice((grpc.Compression.Gzip, grpc.Compression.Deflate))
    bodies = [body + bytes(2**20) for body in call.bodies] if how == 2 else call.bodies
    return call._replace(compression=compression, bodies=bodies)
