"""Picture files with random damage, and some that are worse than random."""

import random
import struct
import zlib

from tests.damage.wire import damage
from tests.serving.damaged_files import FILES, with_right_checksums
from tests.serving.picture_files import png, png_of_chunks, pretending

_TOKENS = (
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xc0\0\x11\x08\xff\xff\xff\xff",
    b"IHDR",
    b"IDAT",
    b"\xff\xff\xff\xff",
    bytes(9),
)


def _header(side: int) -> bytes:
    """The content of a PNG's IHDR: RGB, 8 bits."""
    return struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)


def _bomb(side: int) -> bytes:
    """A black picture that is a thousand times as large as its file."""
    return png(_header(side), bytes(side * (3 * side + 1)))


_TEXT = (b"zTXt", b"a\0\0" + zlib.compress(bytes(2**24)))
_PROFILE = (b"iCCP", b"a\0\0" + zlib.compress(bytes(2**24)))
_ONE_PIXEL = (b"IHDR", _header(1)), (b"IDAT", zlib.compress(bytes(4))), (b"IEND", b"")

WORST = [
    *(file for side in (4_000, 65_000) for file in pretending(side, side).values()),
    *(file for sides in ((1, 65_000), (65_000, 1)) for file in pretending(*sides).values()),
    _bomb(1_500),
    png_of_chunks(_ONE_PIXEL[0], _TEXT, *_ONE_PIXEL[1:]),
    png_of_chunks(_ONE_PIXEL[0], _PROFILE, *_ONE_PIXEL[1:]),
    png_of_chunks(_ONE_PIXEL[0], (b"IDAT", b""), (b"IEND", b"")),
]
"""Headers that promise pixels by the billion, and few bytes that become many."""


def damaged_file(chance: random.Random) -> bytes:
    """One of them, or a file of any format that was changed, cut, or put together wrongly."""
    if chance.random() < 0.1:
        return chance.choice(WORST)
    file = bytearray(chance.choice(FILES))
    damage(file, chance, _TOKENS)
    return with_right_checksums(bytes(file)) if chance.random() < 0.5 else bytes(file)
