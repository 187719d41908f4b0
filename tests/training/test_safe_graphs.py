"""What training exports may be served: its graphs hold only operations that serving allows."""

import keras
import pytest

from serving.models.engines.safety import check_safety
from training.architectures import build
from training.export import save


@pytest.fixture(autouse=True)
def _memory_comes_back():
    yield
    keras.backend.clear_session()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lenet5-1998", {}),  # trained subsampling, tanh, distances
        ("alexnet", {"stem": "small", "fc_width": 32}),  # local response normalisation, groups
        ("googlenet", {"stem": "small"}),  # concatenation
        ("resnet20", {}),  # batch normalisation, padded shortcuts
        ("densenet40-k12", {"blocks": 2}),
    ],
)
def test_what_is_exported_is_safe_with_its_dense_side(tmp_path, name, options):
    save(build(name, classes=10, **options), tmp_path)
    check_safety(tmp_path)


def test_a_network_that_computes_in_half_precision_is_safe(tmp_path):
    pictures = keras.Input((16, 16, 3), dtype="uint8")
    rows = keras.layers.Rescaling(1 / 255, dtype="mixed_bfloat16")(pictures)
    rows = keras.layers.Flatten(dtype="mixed_bfloat16")(rows)
    save(keras.Model(pictures, keras.layers.Dense(10, dtype="float32")(rows)), tmp_path)
    check_safety(tmp_path)
