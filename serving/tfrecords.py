"""TFRecord files without TensorFlow: for each record its length, the length's checksum, its bytes and their checksum,
all little-endian (tensorflow/core/lib/io/record_writer.h).
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import google_crc32c

MAX_RECORD_BYTES = 2**28

_FRAME_BYTES = 16
"""What a record takes in a file beside its own bytes."""
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")


def records_in(path: Path) -> Iterator[bytes]:
    """Every record of the file, in order. Raises ValueError at the first that is broken or above MAX_RECORD_BYTES."""
    with path.open("rb") as file:
        while head := file.read(_LENGTH.size):
            _check(head, file, path)
            (length,) = _LENGTH.unpack(head)
            if length > MAX_RECORD_BYTES:
                raise ValueError(f"A record has at most {MAX_RECORD_BYTES} bytes; one in {path} has {length}.")
            record = file.read(length)
            _check(record, file, path)
            yield record


def framed(record: bytes) -> bytes:
    """`record` as it stands in a file."""
    length = _LENGTH.pack(len(record))
    checksums = (_CHECKSUM.pack(masked_checksum(content)) for content in (length, record))
    return b"".join((length, next(checksums), record, next(checksums)))


def whole_bytes(path: Path) -> int:
    """Up to which byte the file holds whole records."""
    end = 0
    with suppress(ValueError):
        for record in records_in(path):
            end += len(record) + _FRAME_BYTES
    return end


def masked_checksum(content: bytes) -> int:
    """CRC-32C, turned and shifted so that checksums of data that hold checksums are none."""
    crc = google_crc32c.value(content)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _check(content: bytes, file: BinaryIO, path: Path) -> None:
    if file.read(_CHECKSUM.size) != _CHECKSUM.pack(masked_checksum(content)):
        raise ValueError(f"A TFRecord file has whole records with their checksums; {path} is cut or damaged.")
