"""Files of every format, and random damage to them."""

import struct
import zlib

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from tests.serving.picture_files import SIGNATURE, exif_block, file_of, noise, png_16_bit

RGB = Image.fromarray(noise(24, 20))
GREY, RGBA = RGB.convert("L"), Image.fromarray(noise(24, 20, channels=4))
EXIF = exif_block((0x0112, 3, 1, struct.pack("<HH", 6, 0)), (0x010E, 2, 4, b"abc\0"))
FILES = [
    file_of(RGB, "JPEG", exif=EXIF),
    file_of(RGB, "JPEG", progressive=True),
    file_of(RGB.convert("CMYK"), "JPEG"),
    file_of(RGB, "MPO", save_all=True, append_images=[RGB], exif=EXIF),
    file_of(RGB, "PNG", exif=EXIF, icc_profile=bytes(99)),
    file_of(RGB.quantize(8), "PNG", transparency=3),
    file_of(RGBA, "PNG"),
    file_of(GREY.convert("1"), "PNG"),
    png_16_bit(noise(24, 20, channels=None) * np.uint16(257)),
    file_of(RGB, "WEBP", exif=EXIF),
    file_of(RGB, "WEBP", save_all=True, append_images=[RGBA]),
    file_of(RGB, "BMP"),
    file_of(RGBA, "BMP"),
    file_of(RGB.quantize(16), "GIF", save_all=True, append_images=[GREY.quantize(4)], transparency=0),
    file_of(GREY, "GIF", transparency=7),
]


@st.composite
def damaged_files(draw):
    """A file with some bytes changed, removed or put in, or its end cut off; headers are hit more often."""
    damaged = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 6))):
        reach = draw(st.sampled_from([64, 200, len(damaged)]))
        at = draw(st.integers(0, min(reach, len(damaged)) - 1))
        how = draw(st.sampled_from(["change", "change", "change", "remove", "insert", "cut"]))
        if how == "change":
            damaged[at] = draw(st.integers(0, 255))
        elif how == "remove":
            del damaged[at : at + draw(st.integers(1, 8))]
        elif how == "insert":
            damaged[at:at] = draw(st.binary(min_size=1, max_size=4))
        else:
            del damaged[at + 1 :]
        if not damaged:
            break
    return with_right_checksums(bytes(damaged)) if draw(st.booleans()) else bytes(damaged)


def with_right_checksums(damaged: bytes) -> bytes:
    """A PNG with its checksums computed again, so that the damage gets past them; other files as they are."""
    if not damaged.startswith(SIGNATURE):
        return damaged
    mended, at = SIGNATURE, len(SIGNATURE)
    while at + 12 <= len(damaged):
        end = at + 8 + struct.unpack(">I", damaged[at : at + 4])[0]
        mended += damaged[at:end] + struct.pack(">I", zlib.crc32(damaged[at + 4 : end]))
        at = end + 4
    return mended + damaged[at:]
