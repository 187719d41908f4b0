"""Torch's files of weights, read without Torch and without running what is in them.

Such a file is a pickle, which may name any function to be called. Here a pickle may name only
what a state dict consists of, and gets records in its place; bytes become numbers afterwards.
"""

import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.errors import WeightsUnusable
from training.weights.origin import Arrays

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001

STORAGES = {
    # Name in torch -> bytes of a number, and how they are read.
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype("<u2"),  # the upper half of a float32
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


class Storage(NamedTuple):
    """`count` numbers of the type `kind`, a key of STORAGES, kept in the file under `key`."""

    kind: str
    key: str
    count: int


class Tensor(NamedTuple):
    """A view into a storage; `offset` and `strides` count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


Bytes = Callable[[Storage], bytes]
"""Reads what a storage consists of."""


def read(path: Path) -> Arrays:
    """The state dict in the file at `path`: name -> array, float32 where it holds fractions, else int64.

    Reads both forms: the zip archive of Torch 1.6 and later, and the row of pickles before it.

    Raises WeightsUnusable where the file is neither, is cut short, is no state dict, or names
    anything that a state dict has no need of.
    """
    with path.open("rb") as file, _refusals(path):
        form = _read_archive if zipfile.is_zipfile(file) else _read_legacy
        file.seek(0)
        with form(file) as (saved, read_bytes):
            return {name: _array(name, tensor, read_bytes) for name, tensor in _state_dict(saved).items()}


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Makes one kind of error, which names `path`, of all that a broken or hostile file leads to."""
    try:
        yield
    except _Refused as error:
        raise WeightsUnusable(f"{error} ({path})") from None
    except Exception as error:  # a pickle of nonsense may raise anything
        raise WeightsUnusable(
            f"A .pth file holds a state dict as torch.save writes it; {path} cannot be read: "
            f"{type(error).__name__}: {error}. Save model.state_dict() again."
        ) from error


class _Refused(Exception):
    """What is wrong with a file, before its path is known."""


class _Unpickler(pickle.Unpickler):
    """Gives records of storages and tensors for Torch's own, and calls nothing that a file brings.

    `storages` are those it has met, by key.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, Storage] = {}
        # Made anew for each file: a pickle may set attributes of what it is given.
        self._globals = {
            "collections.OrderedDict": OrderedDict,
            "torch._utils._rebuild_tensor": lambda storage, *view: _tensor(storage, *view[:3]),
            "torch._utils._rebuild_tensor_v2": lambda storage, *view: _tensor(storage, *view[:3]),
            "torch._utils._rebuild_parameter": lambda tensor, *training: tensor,
        } | {f"torch.{kind}": kind for kind in STORAGES}

    def find_class(self, module: str, name: str) -> Any:
        known = self._globals.get(f"{module}.{name}")
        if known is None:
            raise _Refused(
                f"A state dict consists of tensors alone; this file wants {module}.{name}, which is not called. "
                "Save model.state_dict(), and not the model."
            )
        return known

    def persistent_load(self, pid: Any) -> Storage:
        tag, kind, key, _device, count, *view = pid
        if tag != "storage" or kind not in STORAGES or any(view):
            raise _Refused(f"A tensor's numbers are a whole storage of a known type; {pid!r} came. Save it again.")
        return self.storages.setdefault(str(key), Storage(kind, str(key), int(count)))


def _tensor(storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Tensor:
    return Tensor(storage, offset, tuple(shape), tuple(strides))


@contextmanager
def _read_archive(file: BinaryIO) -> Iterator[tuple[Any, Bytes]]:
    """data.pkl, and each storage an entry of its own, all under one folder's name."""
    with zipfile.ZipFile(file) as archive:
        pickles = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise _Refused("An archive of Torch's has one data.pkl; this one has none, or several.")
        folder = pickles[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise _Refused("Numbers are read with their lowest byte first; these are saved the other way round.")

        def read_bytes(storage: Storage) -> bytes:
            entry = archive.getinfo(f"{folder}data/{storage.key}")
            if entry.compress_type != zipfile.ZIP_STORED:  # a few bytes could become any number of them
                raise _Refused("Torch saves numbers as they are; these are compressed.")
            return archive.read(entry)

        with archive.open(pickles[0]) as entry:
            yield _Unpickler(entry).load(), read_bytes


@contextmanager
def _read_legacy(file: BinaryIO) -> Iterator[tuple[Any, Bytes]]:
    """Pickles of a magic number, a version, the machine, what was saved and the storages' keys; then
    each storage, its count before it.
    """
    if _Unpickler(file).load() != LEGACY_MAGIC or _Unpickler(file).load() != LEGACY_PROTOCOL:
        raise _Refused("A .pth file is Torch's zip archive or begins with its magic number; this one does neither.")
    if not _Unpickler(file).load()["little_endian"]:
        raise _Refused("Numbers are read with their lowest byte first; these are saved the other way round.")
    unpickler = _Unpickler(file)
    saved = unpickler.load()
    starts = {}
    for key in _Unpickler(file).load():
        storage = unpickler.storages[str(key)]
        (count,) = struct.unpack("<q", file.read(8))
        if count != storage.count:
            raise _Refused(f"A storage is as long as its tensors say, {storage.count}; {count} came.")
        starts[storage.key] = file.tell()
        file.seek(count * STORAGES[storage.kind].itemsize, 1)

    def read_bytes(storage: Storage) -> bytes:
        file.seek(starts[storage.key])
        return file.read(storage.count * STORAGES[storage.kind].itemsize)

    yield saved, read_bytes


def _state_dict(saved: Any) -> Mapping[str, Tensor]:
    if not isinstance(saved, Mapping) or not saved or not all(map(_is_named_tensor, saved.items())):
        raise _Refused("A state dict maps names to tensors; this file holds something else. Save model.state_dict().")
    return saved


def _is_named_tensor(item: tuple[Any, Any]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], Tensor)


def _array(name: str, tensor: Tensor, read_bytes: Bytes) -> NDArray:
    """The numbers of `tensor`, in its shape."""
    storage, kind = tensor.storage, STORAGES[tensor.storage.kind]
    content = read_bytes(storage)
    if len(content) != storage.count * kind.itemsize:
        raise _Refused(
            f"{name} is a view of {storage.count} numbers of {kind.itemsize} bytes; {len(content)} bytes are there. "
            "The file is cut short, or was changed: get it again."
        )
    _check_view(name, tensor)
    numbers = np.frombuffer(content, kind)
    strides = [stride * kind.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)
    if storage.kind == "BFloat16Storage":
        return (view.astype("<u4") << 16).view("<f4")
    with np.errstate(over="ignore"):  # of float64: becomes infinite
        return view.astype(np.float32 if kind.kind == "f" else np.int64)


def _check_view(name: str, tensor: Tensor) -> None:
    """Raises where a tensor would see more than its storage, or the same numbers over and over."""
    numbers = (tensor.offset, *tensor.shape, *tensor.strides)
    count = prod(tensor.shape)
    last = tensor.offset + sum((side - 1) * step for side, step in zip(tensor.shape, tensor.strides, strict=True))
    if min(numbers) < 0 or count > tensor.storage.count or (count and last >= tensor.storage.count):
        raise _Refused(
            f"{name} is a view of {tensor.storage.count} numbers; it is said to begin at {tensor.offset} with shape "
            f"{list(tensor.shape)} and strides {list(tensor.strides)}. The file was changed: get it again."
        )
