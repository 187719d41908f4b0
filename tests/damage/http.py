"""HTTP requests with random damage, and what a server says to them."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Iterator

from tests.damage.connections import first_told
from tests.damage.wire import damage
from tests.serving.picture_files import file_of, noise

DOCUMENTED = {200, 400, 404, 405, 413, 429, 431, 504}
"""What a caller may be told by a server that runs. (505 is the parser's 400, 503 a server's that stops.)"""
UNANSWERED = 0

_PICTURE = file_of(noise(8, 8))
_FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="top_k"\r\n\r\n2\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + _PICTURE
    + b"\r\n--edge--\r\n"
)


def _post(headers: str, body: bytes, query: str = "") -> bytes:
    return f"POST /v1/classify{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n\r\n".encode() + body


_WHOLE = (
    _post(f"Content-Type: image/png\r\nContent-Length: {len(_PICTURE)}", _PICTURE, "?views=ten&top_k=3&adaptive=true"),
    _post(f"Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {len(_FORM)}", _FORM),
    _post(
        "Content-Type: image/png\r\nX-Timeout-Seconds: 20\r\nTransfer-Encoding: chunked",
        f"{len(_PICTURE):x}\r\n".encode() + _PICTURE + b"\r\n0\r\n\r\n",
        "?box=0,0,1,1&box=0,.5,1,1&min_confidence=0.5&priority=bulk&version=1",
    ),
    b"GET /v1/catalogue HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"HEAD /readyz HTTP/1.0\r\n\r\n",
)
_TOKENS = (
    *(b"\r\n", b"\r\n\r\n", b"\0", b"%", b"%00", b"%ff", b"&", b"=", b"?", b"/../", b"*", b"--edge", b"--edge--\r\n"),
    *(b"Content-Length: 99999999999\r\n", b"Transfer-Encoding: chunked\r\n", b"Upgrade: websocket\r\n", b"\xff\xfe"),
    *(b"Expect: 100-continue\r\n", b"Content-Type: multipart/form-data; boundary=\r\n", b"x" * 40_000, b"-1", b"nan"),
)


def damaged(seed: int) -> Iterator[bytes]:
    """Requests without end, each whole but for some damage; the same for the same seed."""
    chance = random.Random(seed)
    while True:
        message = bytearray(chance.choice(_WHOLE))
        damage(message, chance, _TOKENS)
        yield bytes(message)


async def statuses_told(port: int, messages: Iterable[bytes], patience: float) -> Counter[int]:
    """How often each status was the first one said; UNANSWERED where a caller got none and had no more patience, in
    seconds. Many callers at a time.
    """
    return await first_told(port, messages, patience, _final_status, UNANSWERED)


async def _final_status(reader: asyncio.StreamReader) -> int:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.removeprefix(b"HTTP/1.1 ").split(maxsplit=1)[0])
        if status != 100:  # Continue, which an answer follows
            return status
