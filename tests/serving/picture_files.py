"""Picture files for the tests: what Pillow can write, and by hand what it cannot."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def noise(height: int, width: int, channels: int | None = 3, seed: int = 0) -> np.ndarray:
    """uint8 [height, width, channels], or [height, width] where `channels` is None."""
    shape = (height, width) if channels is None else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def file_of(picture: Image.Image | np.ndarray, format: str = "PNG", **options) -> bytes:
    """The bytes of a file of `picture`."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(header: bytes, samples: bytes, *others: tuple[bytes, bytes]) -> bytes:
    """A PNG from its IHDR's content, its samples with their filter bytes, and chunks in between."""
    return png_of_chunks((b"IHDR", header), *others, (b"IDAT", zlib.compress(samples)), (b"IEND", b""))


def png_of_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of just these chunks, with their checksums."""
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def png_16_bit(samples: np.ndarray, *others: tuple[bytes, bytes]) -> bytes:
    """A PNG of 16 bits a sample: grey [height, width], grey and alpha [.., 2], RGB [.., 3] or RGBA [.., 4]."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[samples.shape[2] if samples.ndim == 3 else 1]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    return png(struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], 16, kind, 0, 0, 0), rows, *others)


def pretending(width: int, height: int) -> dict[str, bytes]:
    """A small file of every format whose header says that it is `width` by `height`."""
    small = Image.new("RGB", (8, 8))
    jpeg, bmp, gif = (bytearray(file_of(small, format)) for format in ("JPEG", "BMP", "GIF"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    bmp[18:26] = struct.pack("<ii", width, height)
    gif[6:10] = struct.pack("<HH", width, height)
    return {
        "PNG": png(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), bytes(9)),
        "JPEG": bytes(jpeg),
        "BMP": bytes(bmp),
        "GIF": bytes(gif),
        "GIF frame": _gif_of_frame(width, height),
        "WEBP": _moving_webp(width, height),
    }


def exif_block(*entries: tuple[int, int, int, bytes]) -> bytes:
    """An EXIF block of entries (tag, type, count, four bytes of value), as cameras and editors write them, or worse."""
    packed = b"".join(struct.pack("<HHI", tag, type, count) + value for tag, type, count, value in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", 0)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _gif_of_frame(width: int, height: int) -> bytes:
    gif = bytearray(file_of(Image.new("L", (8, 8), 5), "GIF"))
    descriptor = gif.index(b",")
    gif[descriptor + 5 : descriptor + 9] = struct.pack("<HH", width, height)
    return bytes(gif)


def _moving_webp(width: int, height: int) -> bytes:
    still = file_of(Image.new("RGB", (8, 8)), "WEBP", lossless=True)[12:]
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = bytes(6) + (7).to_bytes(3, "little") * 2 + bytes([100, 0, 0, 0]) + still
    body = b"WEBP"
    for kind, content in ((b"VP8X", bytes([0x12, 0, 0, 0]) + size), (b"ANIM", bytes(6)), (b"ANMF", frame)):
        body += kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body
