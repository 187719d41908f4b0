"""Files that are no picture, or too large a one: refused with the rule, what came, and the way out."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageFile

from protos.classification_pb2 import Tensor
from serving.errors import InvalidRequest
from serving.pipeline.picture import Limits, decode, from_samples, open_header
from tests.serving.picture_files import file_of, noise, pretending

LIMITS = Limits()
FILES = {
    format: file_of(noise(40, 40), format, **({"lossless": True} if format == "WEBP" else {}))
    for format in ("JPEG", "PNG", "WEBP", "BMP", "GIF")
}


def read(encoded: bytes) -> Image.Image:
    return decode(open_header(encoded, LIMITS))


def test_no_bytes_are_refused():
    with pytest.raises(InvalidRequest, match="none came"):
        read(b"")


@pytest.mark.parametrize("encoded", [b"x", b"<svg/>", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7 " * 30, bytes(1000)])
def test_bytes_that_are_no_picture_are_refused(encoded):
    with pytest.raises(InvalidRequest, match="are none of them"):
        read(encoded)


@pytest.mark.parametrize("format", ["TIFF", "PPM", "ICO"])
def test_a_format_that_is_not_promised_is_not_read(format):
    with pytest.raises(InvalidRequest, match="JPEG, PNG, WEBP, BMP or GIF"):
        read(file_of(noise(16, 16), format))


@pytest.mark.parametrize("format", FILES)
def test_a_file_that_breaks_off_is_refused(format):
    whole = FILES[format]
    with pytest.raises(InvalidRequest, match=r"whole|none of them"):
        read(whole[: len(whole) // 2])


@pytest.mark.parametrize("size", [(1, 1), (3, 100), (100, 3)])
def test_a_picture_of_next_to_no_pixels_is_refused(size):
    with pytest.raises(InvalidRequest, match=rf"at least 4 pixels .* {size[0]}x{size[1]} came"):
        open_header(file_of(Image.new("RGB", size)), LIMITS)


def test_a_strip_is_refused():
    with pytest.raises(InvalidRequest, match="at most 50 times"):
        open_header(file_of(Image.new("L", (4, 201))), LIMITS)


@pytest.mark.parametrize("format", pretending(8, 8))
def test_a_picture_of_20000_by_20000_is_refused_from_its_header(format, monkeypatch):
    def decoded(*_):
        raise AssertionError("a picture over the limit was decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    with pytest.raises(InvalidRequest, match="at most 33554432 pixels; 20000x20000 came"):
        open_header(pretending(20_000, 20_000)[format], LIMITS)


def test_opening_a_header_decodes_nothing(monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("decoded"))
    assert open_header(FILES["PNG"], LIMITS).size == (40, 40)


def test_a_file_of_too_many_bytes_is_refused_unopened(monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(InvalidRequest, match="at most 10 bytes; 11 came"):
        open_header(bytes(11), Limits(max_bytes=10))


@pytest.mark.parametrize(
    "shape",
    [(), (5,), (5, 5, 2), (5, 5, 4), (5, 5, 0), (1, 5, 5, 3), (0, 5), (5, 0, 3), (-5, 5), (-5, -5, 3), (5, 5, -1)],
)
def test_a_shape_that_is_no_pictures_is_refused(shape):
    with pytest.raises(InvalidRequest, match=r"\[height, width\] or \[height, width, channels\]"):
        from_samples(Tensor.DATA_TYPE_UINT8, shape, bytes(75), LIMITS)


@pytest.mark.parametrize("shape", [(2**62, 2**62, 3), (2**31, 2**31), (20_000, 20_000)])
def test_a_shape_of_too_many_pixels_is_refused(shape):
    with pytest.raises(InvalidRequest, match="at most 33554432 pixels"):
        from_samples(Tensor.DATA_TYPE_UINT8, shape, b"", LIMITS)


@pytest.mark.parametrize("shape", [(3, 50), (50, 3, 3)])
def test_a_shape_of_too_short_a_side_is_refused(shape):
    with pytest.raises(InvalidRequest, match="at least 4 pixels"):
        from_samples(Tensor.DATA_TYPE_UINT8, shape, bytes(450), LIMITS)


@pytest.mark.parametrize("count", [0, 74, 76, 300])
def test_samples_that_do_not_fill_their_shape_are_refused(count):
    with pytest.raises(InvalidRequest, match=rf"uint8 tensor of shape \[5, 5, 3\] has 75 bytes; {count} came"):
        from_samples(Tensor.DATA_TYPE_UINT8, (5, 5, 3), bytes(count), LIMITS)


def test_float_samples_have_4_bytes_each():
    with pytest.raises(InvalidRequest, match="has 100 bytes; 25 came"):
        from_samples(Tensor.DATA_TYPE_FLOAT32, (5, 5), bytes(25), LIMITS)


@pytest.mark.parametrize("data_type", [Tensor.DATA_TYPE_UNSPECIFIED, 3, -1, 2**31 - 1])
def test_a_data_type_that_is_none_is_refused(data_type):
    with pytest.raises(InvalidRequest, match=f"UINT8 or FLOAT32; number {data_type} came"):
        from_samples(data_type, (5, 5), bytes(25), LIMITS)


@pytest.mark.parametrize("sample", [np.nan, np.inf, -np.inf, -0.01, 1.01, 255.0])
def test_a_float_sample_outside_0_to_1_is_refused(sample):
    samples = np.full((5, 5, 3), 0.5, "<f4")
    samples[2, 2, 1] = sample
    with pytest.raises(InvalidRequest, match="from 0 to 1"):
        from_samples(Tensor.DATA_TYPE_FLOAT32, samples.shape, samples.tobytes(), LIMITS)


def test_a_refusal_of_a_broken_file_says_what_it_was_and_what_to_do():
    file = io.BytesIO(FILES["PNG"])
    with pytest.raises(InvalidRequest, match=r"PNG of 40x40 pixels .* Send the complete file\."):
        read(file.read()[:-1000])


def test_a_png_without_pixels_is_refused():
    header = bytearray(FILES["PNG"])
    header[16:24] = struct.pack(">II", 0, 0)
    with pytest.raises(InvalidRequest):
        read(bytes(header))
