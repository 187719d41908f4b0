"""A ResNet-20 with drawn weights: a network whose batches take tens of milliseconds, so that the machine is full
before its callers are.
"""

from pathlib import Path

import numpy as np

from protos.classification_pb2 import Vote
from protos.model_card_pb2 import Geometry, Input, ModelCard, Provenance
from training.publishing import newest_version

MODELS = Path(".bench", "models", "resnet20")
NAME = "resnet20"
SIDE, SEED = 32, 0
LABELS = tuple(f"class {number}" for number in range(10))


def published() -> Path:
    """The version's directory; makes it first where there is none."""
    return newest_version(MODELS / NAME) or _publish()


def picture() -> bytes:
    """A PNG file of noise, as large as one of CIFAR-10's."""
    import io

    from PIL import Image

    file = io.BytesIO()
    noise = np.random.default_rng(SEED).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def _publish() -> Path:
    import keras

    from training import architectures, preprocessing
    from training.export import GOLDEN_INPUTS, publish_model

    shape = (SIDE, SIDE, 3)
    keras.utils.set_random_seed(SEED)
    network = architectures.build(NAME, len(LABELS), shape)
    model = preprocessing.behind(network, preprocessing.PRESETS["torch"], shape)
    card = ModelCard(
        name=NAME,
        input=Input(height=SIDE, width=SIDE, channels=3),
        labels=LABELS,
        geometry=Geometry(shorter_side=SIDE, margin=4),
        temperature=1.0,
        vote=Vote.VOTE_MEAN_PROBABILITY,
        provenance=Provenance(architecture=NAME, seed=SEED),
    )
    noise = np.random.default_rng(SEED).integers(0, 256, (GOLDEN_INPUTS, *shape), np.uint8)
    return publish_model(model, card, noise, lambda engine: [], MODELS / NAME)
