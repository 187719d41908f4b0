import numpy as np
from PIL import Image

from training.augmentation import figure


def test_the_picture_in_the_documents_is_the_one_drawn_now():
    drawn = np.asarray(figure.draw(), np.float32)
    with Image.open(figure.PATH) as published:
        assert figure.PATH.stat().st_size < 500_000
        assert published.size == drawn.shape[1::-1]
        # Its colours are reduced, and rounding may differ between versions of TensorFlow.
        assert np.abs(np.asarray(published.convert("RGB"), np.float32) - drawn).mean() < 5


def test_it_is_written_where_its_place_is(tmp_path, monkeypatch):
    monkeypatch.setattr(figure, "PATH", tmp_path / "docs" / "augmentation.png")
    figure.main()
    with Image.open(figure.PATH) as written:
        assert written.size == figure.draw().size
