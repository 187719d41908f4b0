"""What every data set is, wherever it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.data.broken import TOLERATED
from training.errors import DataUnusable


@dataclass(frozen=True)
class Pictures:
    """Pictures and what is on them."""

    images: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
    """Each uint8 [height, width, channels], grey or RGB; one array [N, height, width, channels] where sizes agree."""
    class_ids: NDArray[np.int32] | Sequence[int]
    """int32 [N], indices into the data set's labels. Of pictures that stay in their files it may be read from
    there; `encoded.checked` makes it an array.
    """

    def __post_init__(self) -> None:
        if len(self.images) != len(self.class_ids) or not len(self.images):
            raise DataUnusable(
                f"Pictures come with one class each, and at least one; {len(self.images)} pictures and "
                f"{len(self.class_ids)} classes came. Check that the files belong together."
            )

    def __len__(self) -> int:
        return len(self.images)

    def part(self, start: int, stop: int) -> "Pictures":
        """The pictures from `start` to before `stop`."""
        return Pictures(self.images[start:stop], self.class_ids[start:stop])


@dataclass(frozen=True)
class DataSet:
    """Pictures to learn from and others to measure on."""

    name: str
    labels: tuple[str, ...]
    """What the classes are called, in class order."""
    train: Pictures
    test: Pictures
    test_name: str = "test"
    """What the pictures to measure on are called, in tables and on cards."""
    tolerated: float = TOLERATED
    """The share of its training pictures that may be broken, and is skipped."""

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        images = self.train.images
        return images.channels if hasattr(images, "channels") else images[0].shape[2]

    def hold_out(self, pictures: int) -> "DataSet":
        """The same with the last `pictures` of its training pictures to measure on, and the
        test pictures unseen: what recipes are chosen with. Of pictures in files those that are held out are
        looked through, and broken ones left out.

        Raises DataUnusable where nothing would be left to learn from, or more than a tolerated share is broken.
        """
        from training.data.encoded import checked  # which knows Pictures

        rest = len(self.train) - pictures
        if not 0 < rest < len(self.train):
            raise DataUnusable(
                f"Held-out pictures are taken from the {len(self.train)} training pictures, and some have to stay; "
                f"{pictures} were asked for. Hold out fewer."
            )
        name = f"last {pictures} of train"
        held_out = checked(self.train.part(rest, len(self.train)), f"{self.name} {name}", self.tolerated)
        return replace(self, train=self.train.part(0, rest), test=held_out, test_name=name)
