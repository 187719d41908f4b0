"""What comes out of the files and tensors that are right: upright, 8 bits, grey or RGB."""

import struct

import numpy as np
import pytest
from PIL import Image

from protos.classification_pb2 import Tensor
from serving.pipeline.picture import Limits, decode, from_samples, open_header
from tests.serving.picture_files import exif_block, file_of, noise, png_16_bit

LIMITS = Limits()
ORIENTATION, RESOLUTION, SHORT, LONG, ASCII, SIGNED = 0x0112, 0x011A, 3, 4, 2, 9
SIDEWAYS = (ORIENTATION, SHORT, 1, struct.pack("<HH", 6, 0))

# How a file stores an upright picture under each EXIF orientation, by the EXIF standard's
# "the 0th row is at the visual ... of the image, and the 0th column is the visual ...".
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


def read(encoded: bytes) -> np.ndarray:
    return np.asarray(decode(open_header(encoded, LIMITS)))


def oriented(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True})])
@pytest.mark.parametrize("size", [(4, 4), (9, 6), (150, 200)])
def test_a_lossless_file_keeps_every_sample(format, options, size):
    samples = noise(*size)
    np.testing.assert_array_equal(read(file_of(samples, format, **options)), samples)


@pytest.mark.parametrize("format", ["PNG", "BMP", "GIF"])
def test_a_grey_file_stays_grey(format):
    samples = noise(9, 6, channels=None)
    decoded = read(file_of(samples, format))
    np.testing.assert_array_equal(decoded if decoded.ndim == 2 else decoded[..., 0], samples)


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_a_jpeg_is_read_as_near_as_jpeg_allows(options):
    samples = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    assert np.abs(read(file_of(samples, "JPEG", **options)).astype(int) - samples).max() <= 3


def test_a_cmyk_jpeg_becomes_rgb():
    decoded = read(file_of(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    assert np.abs(decoded.astype(int) - (255, 0, 0)).max() <= 3


def test_a_phones_multi_picture_jpeg_gives_its_first_picture():
    first, second = Image.new("RGB", (16, 16), (200, 0, 0)), Image.new("RGB", (16, 16), (0, 0, 200))
    decoded = read(file_of(first, "MPO", save_all=True, append_images=[second]))
    assert np.abs(decoded.astype(int) - (200, 0, 0)).max() <= 8


@pytest.mark.parametrize("shape", [(5, 51), (5, 51, 3)], ids=["grey", "rgb"])
def test_16_bit_samples_are_scaled_to_8(shape):
    eight = np.arange(np.prod(shape)).reshape(shape) % 256
    np.testing.assert_array_equal(read(png_16_bit(eight * 257)), eight)


def test_a_palette_is_looked_up():
    picture = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4) % 3, "P")
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    expected = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255)])[np.arange(16).reshape(4, 4) % 3]
    np.testing.assert_array_equal(read(file_of(picture)), expected)


def test_a_1_bit_picture_is_black_and_white():
    bits = noise(8, 8, channels=None) > 127
    np.testing.assert_array_equal(read(file_of(Image.fromarray(bits))), np.where(bits, 255, 0))


BLACK_HOLE = np.array([[0, 10], [10, 10]], np.uint8).repeat(4, axis=0).repeat(4, axis=1)  # 0 is see-through below
HOLE_ON_WHITE = np.where(BLACK_HOLE == 0, 255, 10)


def black_hole(mode: str) -> Image.Image:
    if mode == "P":
        picture = Image.fromarray((BLACK_HOLE > 0).astype(np.uint8), "P")
        picture.putpalette([0, 0, 0, 10, 10, 10])
        return picture
    return Image.fromarray(BLACK_HOLE).convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_a_see_through_pixel_is_white(mode, format):
    picture = black_hole("L").convert(mode)
    picture.putalpha(Image.fromarray(np.where(BLACK_HOLE == 0, 0, 255).astype(np.uint8)))
    decoded = read(file_of(picture, format, **({"lossless": True} if format == "WEBP" else {})))
    np.testing.assert_array_equal(decoded, np.stack([HOLE_ON_WHITE] * 3, axis=-1))


@pytest.mark.parametrize(
    ("mode", "key", "format"),
    [
        ("P", 0, "PNG"),
        ("P", b"\x00\xff", "PNG"),
        ("P", 0, "GIF"),
        ("L", 0, "GIF"),
        ("L", 0, "PNG"),
        ("RGB", (0, 0, 0), "PNG"),
    ],
)
def test_a_colour_declared_see_through_is_white(mode, key, format):
    decoded = read(file_of(black_hole(mode), format, transparency=key))
    np.testing.assert_array_equal(decoded if decoded.ndim == 2 else decoded[..., 0], HOLE_ON_WHITE)


def test_a_16_bit_grey_declared_see_through_is_white():
    decoded = read(png_16_bit(BLACK_HOLE.astype(np.uint16) * 257, (b"tRNS", b"\0\0")))
    np.testing.assert_array_equal(decoded if decoded.ndim == 2 else decoded[..., 0], HOLE_ON_WHITE)


def test_a_half_see_through_pixel_is_mixed_with_white():
    decoded = read(file_of(Image.new("RGBA", (4, 4), (0, 100, 200, 51))))
    assert np.abs(decoded[0, 0].astype(int) - (204, 224, 244)).max() <= 1


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_a_turned_picture_is_set_upright(orientation, format, options):
    upright = noise(6, 9)
    stored = np.ascontiguousarray(STORED[orientation](upright))
    np.testing.assert_array_equal(read(file_of(stored, format, exif=oriented(orientation), **options)), upright)


def test_a_turned_16_bit_picture_is_set_upright():
    upright = np.arange(48, dtype=np.uint16).reshape(6, 8)
    stored = np.ascontiguousarray(STORED[6](upright)) * np.uint16(257)
    np.testing.assert_array_equal(read(file_of(stored, exif=oriented(6))), upright)


@pytest.mark.parametrize(
    "other",
    [(RESOLUTION, ASCII, 4, b"abc\0"), (0x0128, ASCII, 1, bytes(4)), (0x0100, SIGNED, 1, struct.pack("<i", -7))],
    ids=["a resolution in words", "no unit", "a negative width"],
)
def test_odd_metadata_does_not_keep_a_whole_picture_from_being_set_upright(other):
    decoded = read(file_of(Image.new("RGB", (20, 24), (200, 100, 50)), "JPEG", exif=exif_block(SIDEWAYS, other)))
    assert decoded.shape == (20, 24, 3)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "MPO"])
def test_unreadable_metadata_leaves_a_whole_picture_as_it_is(format):
    decoded = read(file_of(Image.new("RGB", (20, 24)), format, exif=b"Exif\0\0MM\0\xaa\0\0\0\x08"))
    assert decoded.shape == (24, 20, 3)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_leaves_the_picture_as_it_is(orientation):
    entry = (ORIENTATION, LONG, 1, struct.pack("<I", orientation))
    assert read(file_of(Image.new("RGB", (20, 24)), "JPEG", exif=exif_block(entry))).shape == (24, 20, 3)


@pytest.mark.parametrize(("format", "options"), [("GIF", {}), ("WEBP", {"lossless": True})])
def test_a_moving_picture_gives_its_first_frame(format, options):
    first, second = Image.new("RGB", (8, 8), (250, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 250))
    moving = file_of(first, format, save_all=True, append_images=[second], duration=10, **options)
    assert set(map(tuple, read(moving).reshape(-1, 3).tolist())) == {(250, 0, 0)}


def test_a_picture_at_the_largest_aspect_is_read():
    assert read(file_of(noise(4, 200))).shape == (4, 200, 3)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_uint8_samples_are_taken_as_they_are(shape):
    samples = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture = from_samples(Tensor.DATA_TYPE_UINT8, shape, samples.tobytes(), LIMITS)
    np.testing.assert_array_equal(np.asarray(decode(picture)).reshape(shape), samples)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_float32_samples_are_rounded_to_8_bits(shape):
    eight = np.random.default_rng(0).integers(0, 256, shape)
    nearly = np.clip((eight + np.random.default_rng(1).uniform(-0.4, 0.4, shape)) / 255, 0, 1)
    picture = from_samples(Tensor.DATA_TYPE_FLOAT32, shape, nearly.astype("<f4").tobytes(), LIMITS)
    np.testing.assert_array_equal(np.asarray(decode(picture)).reshape(shape), eight)
