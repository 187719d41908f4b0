"""From a caller's bytes to an upright 8-bit picture, within bounds.

Pillow decodes. The header is read first, so that a picture over the bounds costs nothing.
"""

import io
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

from protos.classification_pb2 import Tensor
from serving.errors import InvalidRequest

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")

_SAMPLE_TYPES: dict[int, "np.dtype"] = {
    Tensor.DATA_TYPE_UINT8: np.dtype("u1"),
    Tensor.DATA_TYPE_FLOAT32: np.dtype("<f4"),
}

# Pillow's own bound warns first and refuses at twice the size; Limits refuses, right after the header.
Image.MAX_IMAGE_PIXELS = None
# A PNG's compressed texts are inflated with its header, on the event loop: a megabyte takes milliseconds.
PngImagePlugin.MAX_TEXT_MEMORY = 2**20

# What Pillow's readers raise on bytes that are not what their header says.
_BROKEN = (
    AssertionError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
)

# What turns a picture upright, by its EXIF orientation (Exif 2.32, section 4.6.4).
_UPRIGHT: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Limits:
    """What a picture may be. The largest is about 100 MB of RGB, and needs up to ten times that for a moment
    where it is a transparent one of a moving format.
    """

    max_bytes: int = 16 * 2**20
    max_pixels: int = 2**25
    min_side: int = 4
    max_aspect: float = 50.0
    """Longer side over shorter: a strip would grow without bound when its shorter side is resized."""


def open_header(encoded: bytes, limits: Limits) -> Image.Image:
    """The picture in a JPEG, PNG, WebP, BMP or GIF file, its header read and nothing decoded.

    Raises InvalidRequest where the bytes are no such file, or outside `limits`.
    """
    if not encoded:
        raise InvalidRequest("A picture has bytes; none came. Fill `encoded` or `tensor`.")
    if len(encoded) > limits.max_bytes:
        raise InvalidRequest(
            f"A picture has at most {limits.max_bytes} bytes; {len(encoded)} came. Send a smaller one."
        )
    try:
        image = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except _BROKEN as error:
        raise InvalidRequest(
            f"A picture is a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file; the {len(encoded)} bytes that came, "
            f"starting with {encoded[:8]!r}, are none of them. Convert the file, or send its samples as a tensor."
        ) from error
    _check_size(image.size, limits)
    return image


def from_samples(data_type: int, shape: Sequence[int], content: bytes, limits: Limits) -> Image.Image:
    """The picture that a Tensor of protos/classification.proto holds. float32 is rounded to 8 bits.

    Raises InvalidRequest where it holds none, one outside `limits`, or a sample out of its range.
    """
    if data_type not in _SAMPLE_TYPES:
        raise InvalidRequest(f"A tensor's data_type is UINT8 or FLOAT32; number {data_type} came.")
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3)) or min(shape) < 1:
        raise InvalidRequest(
            "A tensor has the shape [height, width] or [height, width, channels] with 1 or 3 channels; "
            f"{list(shape)} came. Send one picture a request, channels last."
        )
    _check_size((shape[1], shape[0]), limits)
    dtype = _SAMPLE_TYPES[data_type]
    if len(content) != math.prod(shape) * dtype.itemsize:
        raise InvalidRequest(
            f"A {dtype.name} tensor of shape {list(shape)} has {math.prod(shape) * dtype.itemsize} bytes; "
            f"{len(content)} came. Send the samples in row-major order, without a header."
        )
    samples = np.frombuffer(content, dtype).reshape(shape)
    if dtype.kind == "f":
        if not ((samples >= 0) & (samples <= 1)).all():  # also where a sample is not a number
            raise InvalidRequest(
                "A float32 tensor has samples from 0 to 1; "
                f"samples from {samples.min()} to {samples.max()} came. Scale them, or send uint8."
            )
        samples = (samples * 255).round().astype(np.uint8)
    return Image.fromarray(samples.squeeze(axis=2) if samples.shape[2:] == (1,) else samples)


def decode(image: Image.Image) -> Image.Image:
    """An image of mode "L" (grey) or "RGB" from one whose header was read: upright by its EXIF
    orientation, the first frame, 16-bit samples scaled to 8 bits, transparent pixels laid on white.

    Raises InvalidRequest where the file is broken.
    """
    try:
        image.load()
        turn = _UPRIGHT.get(orientation_of(image))
        return _to_grey_or_rgb(image if turn is None else image.transpose(turn))
    except _BROKEN as error:
        raise InvalidRequest(
            f"A picture has to be whole; this {image.format} of {image.width}x{image.height} pixels broke off "
            f"while decoding ({error}). Send the complete file."
        ) from error


def orientation_of(image: Image.Image) -> object:
    """What EXIF says of how the camera was held; None where it says nothing that can be read."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except _BROKEN:
        return None


def _to_grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits a sample
        samples = np.asarray(image).astype(np.uint32)
        grey = np.where(samples == image.info.get("transparency"), 255, samples // 257)
        return Image.fromarray(grey.astype(np.uint8))
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("L" if image.mode == "1" else "RGB")


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise InvalidRequest(
            f"A picture has at most {limits.max_pixels} pixels; {width}x{height} came. Resize it before sending."
        )
    if min(size) < limits.min_side:
        raise InvalidRequest(
            f"A picture has at least {limits.min_side} pixels on each side; {width}x{height} came. "
            "Send the picture itself, not a placeholder."
        )
    if max(size) > limits.max_aspect * min(size):
        raise InvalidRequest(
            f"A picture's longer side is at most {limits.max_aspect:g} times its shorter; {width}x{height} came. "
            "Crop it before sending."
        )
