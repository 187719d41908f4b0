"""A call as bytes of HTTP/2, damaged: frames, headers, and what they say of the message's length and compression."""

import asyncio
import random
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator

import grpc

from tests.damage.connections import first_told
from tests.damage.wire import damage

HUNG_UP, UNANSWERED = "hung up", "none"
DOCUMENTED = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "DEADLINE_EXCEEDED"}
DOCUMENTED |= {"INTERNAL", "UNAVAILABLE", HUNG_UP, UNANSWERED}
"""What a caller may be told. The second line is gRPC's own answer to frames that contradict each other."""

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS, _HEADERS, _DATA = 4, 1, 0
_END_STREAM, _END_HEADERS = 1, 4
_STATUS = re.compile(rb"grpc-status.(\d{1,2})", re.DOTALL)  # in HPACK, by its name since nothing was said before
_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
_TOKENS = (
    *(_PREFACE, b"\0\0\0", b"\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\x08\x06\0\0\0\0\0" + bytes(8), b"\x80" * 20),
    *(b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08", b"\0\0\x04\x08\0\0\0\0\x01\x7f\xff\xff\xff", b"\0\0\0\x09\x04\0\0\0\x01"),
)
"""Parts of frames; and whole ones, of the kinds PING, RST_STREAM, WINDOW_UPDATE and CONTINUATION."""


def damaged(method: str, body: bytes, seed: int) -> Iterator[bytes]:
    """Connections without end, each a call of `method` with the message `body`, but for some damage."""
    chance = random.Random(seed)
    while True:
        said = bytearray(
            _call(method, _framed(body, chance), chance.choice(("identity", "gzip", "deflate", "nonsense")))
        )
        if chance.random() < 0.7:
            damage(said, chance, _TOKENS)
        yield bytes(said)


async def statuses_told(port: int, connections: Iterable[bytes], patience: float) -> Counter[str]:
    """How often each status was told; HUNG_UP or UNANSWERED where none was, the latter after `patience` seconds."""
    return await first_told(port, connections, patience, _status, UNANSWERED)


def _framed(body: bytes, chance: random.Random) -> bytes:
    """`body` as gRPC frames it, and perhaps not as it says."""
    content = chance.choice((body, zlib.compress(body), zlib.compress(body)[:-9], zlib.compress(bytes(2**22))))
    length = chance.choice((len(content), len(content), 0, len(content) - 1, len(content) + 1, 2**32 - 1))
    return bytes([chance.choice((0, 0, 1, 1, 2, 255))]) + length.to_bytes(4, "big") + content


def _call(method: str, message: bytes, encoding: str) -> bytes:
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"/{method}",
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
        "grpc-encoding": encoding,
        "grpc-timeout": "9S",
    }
    headers = b"".join(_literal(*field) for field in fields.items())
    frames = [_frame(_SETTINGS, 0, 0, b""), _frame(_HEADERS, _END_HEADERS, 1, headers)]
    parts = [message[start : start + 16_384] for start in range(0, len(message), 16_384)]
    frames += [_frame(_DATA, 0, 1, part) for part in parts[:-1]]
    return _PREFACE + b"".join([*frames, _frame(_DATA, _END_STREAM, 1, parts[-1])])


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def _literal(name: str, value: str) -> bytes:
    """A header as HPACK writes one that is in no table."""
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


async def _status(reader: asyncio.StreamReader) -> str:
    said = b""
    while more := await reader.read(65_536):
        said += more
        if found := _STATUS.search(said):
            return _NAMES.get(int(found[1]), found[1].decode())
    return HUNG_UP
