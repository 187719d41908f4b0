"""Pictures that stay in their files until they are asked for."""

import os
from abc import abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.progress import Progress

from serving.errors import InvalidRequest
from serving.pipeline.picture import Limits, decode, open_header
from training.data.broken import Broken
from training.data.data_set import Pictures
from training.errors import DataUnusable

# Pictures whose headers say whether a data set is grey.
_HEADERS = 1024


class Encoded(Sequence):
    """Pictures that are decoded, by serving's own decoder, each time they are asked for."""

    channels: int
    """1 (grey) or 3 (RGB)."""

    unseen_fault = "TensorFlow cannot decode it."
    """What is said of a picture that could not be used, and of which `fault` sees nothing."""

    @abstractmethod
    def contents(self, index: int) -> bytes:
        """The bytes of the file. Raises DataUnusable and OSError."""

    @abstractmethod
    def name(self, index: int) -> str:
        """Where the picture is to be found."""

    @abstractmethod
    def chosen(self, indices: Sequence[int]) -> "Encoded":
        """Those with `indices`, which rise; not yet decoded."""

    def part(self, start: int, stop: int) -> "Encoded":
        """Those from `start` to before `stop`; not yet decoded."""
        return self.chosen(range(start, stop))

    def __getitem__(self, index: Any) -> Any:
        """uint8 [height, width, channels]; of a slice, the pictures in it, not yet decoded.

        Raises DataUnusable and OSError where the picture cannot be read.
        """
        if isinstance(index, slice):
            start, stop, _ = index.indices(len(self))
            return self.part(start, stop)
        try:
            image = decode(open_header(self.contents(index), Limits()))
        except InvalidRequest as error:
            raise DataUnusable(f"{self.name(index)}: {error}") from error
        image = image.convert("L" if self.channels == 1 else "RGB")
        return np.asarray(image).reshape(image.height, image.width, self.channels)

    def fault(self, index: int) -> str | None:
        """Why the picture cannot be used, or None."""
        try:
            contents = self.contents(index)
            if not _is_whole(contents):
                decode(open_header(contents, Limits()))
        except (InvalidRequest, DataUnusable, OSError) as error:
            return str(error)
        return None


def checked(pictures: Pictures, whole: str, tolerated: float) -> Pictures:
    """`pictures` without those that cannot be decoded; each of them is named.

    whole: what they are called together. Raises DataUnusable where more than a share of `tolerated`
    is broken.
    """
    images = pictures.images
    if not isinstance(images, Encoded):
        return pictures
    broken = Broken(f"{len(images)} pictures ({whole})", len(images), tolerated)
    kept = []
    terminal = Console(stderr=True)
    with (
        Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar,
        ThreadPoolExecutor(os.cpu_count()) as threads,
    ):
        faults = threads.map(images.fault, range(len(images)))
        try:
            for index, fault in enumerate(bar.track(faults, len(images), description=f"Looking through {whole}")):
                if fault is None:
                    kept.append(index)
                else:
                    broken.add(images.name(index), fault)
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    broken.say_count()
    class_ids = np.array([pictures.class_ids[index] for index in kept], np.int32)
    return Pictures(images.chosen(kept) if broken.names else images, class_ids)


def channels_of(*parts: Encoded) -> int:
    """1 where the first thousand pictures of each part are grey when they are decoded, and 3 otherwise.

    Only headers are read. Those that cannot be are passed over. Raises DataUnusable where none can.
    """
    readable = 0
    for part in parts:
        for index in range(min(len(part), _HEADERS)):
            try:
                image = open_header(part.contents(index), Limits())
            except (InvalidRequest, DataUnusable, OSError):
                continue
            if not _becomes_grey(image):
                return 3
            readable += 1
    if not readable:
        raise DataUnusable(
            f"A data set has pictures that can be read; the first of them, {parts[0].name(0)}, says: "
            f"{parts[0].fault(0)} Look whether these are pictures."
        )
    return 1


def _is_whole(contents: bytes) -> bool:
    """Whether a picture can be decoded to its end; its pixels are hardly computed where it is a JPEG."""
    try:
        image = open_header(contents, Limits())
        image.draft("L", (1, 1))
        decode(image)
    except InvalidRequest:
        return False
    return True


def _becomes_grey(image: Image.Image) -> bool:
    """Whether serving's decoder makes grey of `image`, by its header alone."""
    return image.mode.startswith("I") or (image.mode in ("1", "L") and "transparency" not in image.info)
