"""Writes what torch.save writes of a state dict, opcode by opcode, without Torch."""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

KINDS = {"f8": "DoubleStorage", "f4": "FloatStorage", "f2": "HalfStorage", "i8": "LongStorage", "u1": "ByteStorage"}
MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
EMPTY = b"ccollections\nOrderedDict\n)R"


class View(NamedTuple):
    """A tensor of `shape` and `strides`, counted in numbers, into the storage of that key."""

    key: str
    kind: str
    count: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    rebuild: str = "_rebuild_tensor_v2"


def view(array: np.ndarray, key: str) -> View:
    """All of `array`, which is its own storage."""
    strides = tuple(stride // array.itemsize for stride in array.strides)
    return View(key, KINDS[array.dtype.str[1:]], array.size, 0, array.shape, strides)


def save(path: Path, arrays: Mapping[str, np.ndarray], *, legacy: bool = False) -> None:
    """As torch.save({name: tensor, ...}, path)."""
    keys = {name: str(place) for place, name in enumerate(arrays)}
    tensors = b"".join(text(name) + tensor(view(each, keys[name]), legacy) + b"s" for name, each in arrays.items())
    write(path, EMPTY + tensors, {keys[name]: each.tobytes("A") for name, each in arrays.items()}, legacy=legacy)


def write(path: Path, pickled: bytes, storages: Mapping[str, bytes], *, legacy: bool = False, size: int = 4) -> None:
    """A file of either form around opcodes that leave what is saved on the stack."""
    pickled = b"\x80\x02" + pickled + b"."
    if not legacy:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("saved/data.pkl", pickled)
            archive.writestr("saved/byteorder", "little")
            for key, content in storages.items():
                archive.writestr(f"saved/data/{key}", content)
            archive.writestr("saved/version", "3\n")
        return
    machine = b"\x80\x02}" + text("little_endian") + b"\x88s."
    keys = b"\x80\x02](" + b"".join(map(text, storages)) + b"e."
    numbers = b"".join(struct.pack("<q", len(each) // size) + each for each in storages.values())
    path.write_bytes(MAGIC + b"\x80\x02" + number(1001) + b"." + machine + pickled + keys + numbers)


def tensor(of: View, legacy: bool = False) -> bytes:
    """The opcodes that rebuild a tensor from its storage."""
    whole = b"N" if legacy else b""  # no part of another storage
    storage = text("storage") + name_of("torch", of.kind) + text(of.key) + text("cpu") + number(of.count) + whole
    arguments = number(of.offset) + tuple_of(of.shape) + tuple_of(of.strides)
    if of.rebuild == "_rebuild_tensor_v2":
        arguments += b"\x89" + EMPTY  # requires_grad and backward hooks
    return name_of("torch._utils", of.rebuild) + b"((" + storage + b"tQ" + arguments + b"tR"


def parameter(opcodes: bytes) -> bytes:
    """torch.nn.Parameter around the opcodes of a tensor."""
    return name_of("torch._utils", "_rebuild_parameter") + b"(" + opcodes + b"\x88" + EMPTY + b"tR"


def name_of(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def text(content: str) -> bytes:
    return b"X" + struct.pack("<I", len(content.encode())) + content.encode()


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def tuple_of(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"
