"""scikit-learn's handwritten digits: 1,797 pictures, no download.

They are the test part of UCI's "Optical Recognition of Handwritten Digits" (Alpaydin and
Kaynak 1998), written by 13 people and stored writer after writer.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data.data_set import DataSet, Pictures

LABELS = tuple("0123456789")
SIDE = 32

# The last fifth in the published order is held out. Because pictures of one writer stand
# together, it is written by people whom the network has (all but the one at the border)
# never seen, which a shuffled split would not give.
HELD_OUT = 360


def load() -> DataSet:
    """1,437 training and 360 held-out digits: uint8 [N, 32, 32, 1], white on black as in MNIST."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.stack([_enlarge(image) for image in bunch.images])
    pictures = Pictures(images, bunch.target.astype(np.int32))
    border = len(pictures) - HELD_OUT
    return DataSet("digits", LABELS, pictures.part(0, border), pictures.part(border, len(pictures)), "held out")


def _enlarge(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """[8, 8] of counts from 0 to 16 -> [32, 32, 1] from 0 to 255."""
    small = Image.fromarray((image * (255 / 16)).round().astype(np.uint8))
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BILINEAR))[..., None]
