"""Files of every format with random damage: a picture or InvalidRequest comes out, never anything else."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.errors import InvalidRequest
from serving.pipeline.picture import Limits, decode, open_header
from tests.serving.picture_files import SIGNATURE, exif_block, file_of, noise, png, png_16_bit, png_of_chunks

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
# A mutated header may promise millions of pixels; refusing those early keeps the test quick.
LIMITS = Limits(max_pixels=20_000)


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


def read_or_refuse(encoded: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged metadata, and reads on
        try:
            picture = decode(open_header(encoded, LIMITS))
        except InvalidRequest:
            return
    assert picture.mode in ("L", "RGB")
    assert np.asarray(picture).dtype == np.uint8


@settings(max_examples=400)
@given(damaged_files())
def test_a_damaged_file_is_a_picture_or_an_invalid_request(damaged):
    read_or_refuse(damaged)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_an_invalid_request(encoded):
    read_or_refuse(encoded)


@pytest.mark.parametrize("file", FILES, ids=range(len(FILES)))
def test_a_file_cut_anywhere_is_a_picture_or_an_invalid_request(file):
    for length in range(0, len(file), max(1, len(file) // 50)):
        read_or_refuse(file[:length])


PALETTE_HEADER = struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)
IDAT = zlib.compress(noise(8, 9, channels=None).tobytes())
WAYS_TO_BREAK = {
    "a chunk of no name": png_of_chunks((b"IHDR", PALETTE_HEADER), (b"IDAT", IDAT[:9]), (b"\xff\0\1T", IDAT[9:])),
    "a header too short": png_of_chunks((b"IHDR", bytes(4))),
    "no palette": png(PALETTE_HEADER, bytes(72)),
    "metadata of no kind": file_of(RGB, "PNG", exif=b"Exif\0\0MM\0\xaa\0\0\0\x08"),
    "metadata of no kind in a JPEG": file_of(RGB, "JPEG", exif=b"Exif\0\0MM\0\xaa\0\0\0\x08"),
} | {
    f"metadata of type {type}": file_of(
        RGB, "JPEG", exif=exif_block((0x0112, 3, 1, b"\6\0\0\0"), (0x0100, type, 1, b"\xf9\xff\xff\xff"))
    )
    for type in range(14)
}


@pytest.mark.parametrize("way", WAYS_TO_BREAK)
def test_a_way_to_break_pillow_that_was_found_once_is_a_picture_or_an_invalid_request(way):
    """Each made Pillow raise something other than OSError once."""
    read_or_refuse(WAYS_TO_BREAK[way])
