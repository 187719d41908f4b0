"""Small directories of real files."""

import io

import numpy as np
import pytest
from PIL import Image

from training.data import places


@pytest.fixture(autouse=True)
def _no_data_sets_of_debian(monkeypatch, request, tmp_path):
    if not request.node.get_closest_marker("fashion_mnist"):
        monkeypatch.setattr(places, "DEBIAN", tmp_path / "nothing here")


def jpeg(colour, size=(40, 30), mode="RGB", **options) -> bytes:
    """A picture of one colour under a little noise, so that a cut shows."""
    noise = np.random.default_rng(0).integers(-9, 9, (*size[::-1], 3))
    samples = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(samples).convert(mode).save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def write_jpegs(directory, per_class=20, classes=("dark", "light"), mode="RGB") -> None:
    """DIRECTORY/CLASS/00.jpg and so on; the class shows in the brightness."""
    for class_id, name in enumerate(classes):
        folder = directory / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            level = 40 + 160 * class_id // max(1, len(classes) - 1) + number % 7
            (folder / f"{number:02d}.jpg").write_bytes(jpeg([level] * 3, mode=mode))
