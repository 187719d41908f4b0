"""Files of every format with random damage: a picture or InvalidRequest comes out, never anything else."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.errors import InvalidRequest
from serving.pipeline.picture import Limits, decode, open_header
from serving.pipeline.reduction import reduce
from tests.serving.damaged_files import FILES, RGB, damaged_files
from tests.serving.picture_files import exif_block, file_of, noise, png, png_of_chunks

# A mutated header may promise millions of pixels; refusing those early keeps the test quick.
LIMITS = Limits(max_pixels=20_000)


def read_or_refuse(encoded: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged metadata, and reads on
        try:
            header = open_header(encoded, LIMITS)
            reduce(header, 4)
            picture = decode(header)
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
