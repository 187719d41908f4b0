"""What the large network is asked about: photographs, and garments in frames of a photograph's size."""

import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_images

from protos.classification_pb2 import Views
from protos.model_card_pb2 import ModelCard
from serving.pipeline import picture as pictures
from serving.pipeline import views as geometry
from training.canvases import to_picture

WIDTH, HEIGHT = 500, 375
"""As most of ImageNet."""
_QUALITY = 90


@cache
def photographs(count: int = 16) -> list[bytes]:
    """JPEG files: parts of the two photographs that scikit-learn brings."""
    both = [Image.fromarray(image) for image in load_sample_images().images]
    places = np.random.default_rng(0)
    files = []
    for number in range(count):
        photograph = both[number % len(both)]
        left, top = places.integers(photograph.width - WIDTH + 1), places.integers(photograph.height - HEIGHT + 1)
        files.append(_jpeg(photograph.crop((left, top, left + WIDTH, top + HEIGHT))))
    return files


def framed(garments: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [N, 28, 28, 1] of Fashion-MNIST -> uint8 [N, HEIGHT, WIDTH, 1], each as high as its black frame."""
    frames = np.zeros((len(garments), HEIGHT, WIDTH, 1), np.uint8)
    left = (WIDTH - HEIGHT) // 2
    for frame, garment in zip(frames, garments, strict=True):
        large = Image.fromarray(garment[..., 0]).resize((HEIGHT, HEIGHT), Image.Resampling.BILINEAR)
        frame[:, left : left + HEIGHT, 0] = np.asarray(large)
    return frames


def files(frames: NDArray[np.uint8]) -> list[bytes]:
    """JPEG files of uint8 [N, height, width, 1]."""
    return [_jpeg(Image.fromarray(frame[..., 0])) for frame in frames]


def cut(file: bytes, card: ModelCard, views: Views) -> NDArray[np.uint8]:
    """uint8 [views, height, width, channels]: what the server makes of `file`, by its own code."""
    upright = pictures.decode(pictures.open_header(file, pictures.Limits()))
    return geometry.cut(upright, card.input, card.geometry, views)


def view(samples: NDArray[np.uint8], card: ModelCard, number: int) -> NDArray[np.uint8]:
    """Of the five views of uint8 [height, width, 1 or 3] one: uint8 [height, width, channels] of the card's input."""
    return geometry.cut(to_picture(samples), card.input, card.geometry, Views.VIEWS_FIVE)[number]


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
