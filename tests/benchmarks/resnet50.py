"""A ResNet-50 that costs what ResNet-50 costs and whose votes mean something, without days of training.

    python -m tests.benchmarks.resnet50

Its trunk has the weights that a seed draws, and batch normalisation the statistics of some pictures; its last layer
is fitted by logistic regression to what the trunk says of some hundred garments of Fashion-MNIST (random features:
Rahimi and Recht 2008, "Weighted Sums of Random Kitchen Sinks"), each by one of its five views. So it is often right and
often in doubt. Blocks add a fifth of what they would: Goyal et al. 2017, section 5.1, begin them at nothing, and drawn
weights say more of a picture the less often they are applied.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from protos.classification_pb2 import Vote
from protos.model_card_pb2 import Geometry, Input, ModelCard, Provenance
from serving.models import card as cards
from tests.benchmarks import pictures
from tests.benchmarks.pictures import framed
from training.data import DataSet, load
from training.data.data_set import Pictures
from training.program import run
from training.publishing import newest_version

MODELS = Path(".bench", "models", "resnet50")
"""A directory to serve, with this one network."""
NAME = "resnet50"
SIDE, SHORTER_SIDE = 224, 256
SEED = 0
LEARNED_FROM, MEASURED_ON = 500, 24
NORMALISED_BY, CALIBRATED_BY = 32, 64
BLOCKS_ADD = 0.2
AGREEMENT, PROVEN_ON = 0.995, 1300
"""So many pictures it takes to promise so much, see training/adaptive/margins.py."""
_BATCH = 32


def main() -> None:
    """Publishes the network, and in 8 bits as a version more, and calibrates adaptive votes, where that is missing."""
    from training.adaptive.votes import calibrate_votes
    from training.quantize import publish_quantized

    version = published()
    if not cards.read(version).HasField("quantization"):
        version = publish_quantized(version, garments(), CALIBRATED_BY)
    if not cards.read(version).adaptive_votes:
        calibrate_votes(MODELS, NAME, unseen(), None, "ten", AGREEMENT)
    print(version)


def published() -> Path:
    """The newest version's directory; makes one first where there is none, which takes some minutes."""
    return newest_version(MODELS / NAME) or _publish()


def garments() -> DataSet:
    """Some of Fashion-MNIST, framed. Raises DataUnusable where that is not there."""
    data = load("fashion-mnist")

    def some(of: Pictures, count: int) -> Pictures:
        return Pictures(framed(of.images[:count]), of.class_ids[:count])

    return replace(data, train=some(data.train, LEARNED_FROM), test=some(data.test, MEASURED_ON))


def unseen() -> DataSet:
    """Garments that it has not learned from, to find margins on."""
    data = load("fashion-mnist")
    held_out = data.train.part(LEARNED_FROM, LEARNED_FROM + PROVEN_ON)
    return replace(data, test=Pictures(framed(held_out.images), held_out.class_ids), test_name="train, in part")


def _publish() -> Path:
    import keras

    from training import architectures, preprocessing
    from training.evaluate import Member, count_votes
    from training.evaluation.scores import measurements
    from training.export import count_parameters, golden_rows, publish_model

    data = garments()
    card = ModelCard(
        name=NAME,
        input=Input(height=SIDE, width=SIDE, channels=3),
        labels=data.labels,
        geometry=Geometry(shorter_side=SHORTER_SIDE),
        temperature=1.0,
        vote=Vote.VOTE_MEAN_PROBABILITY,
    )
    keras.utils.set_random_seed(SEED)
    network = architectures.build(NAME, len(data.labels))
    model = preprocessing.behind(network, preprocessing.PRESETS["torch"], (SIDE, SIDE, 3))
    rows = np.stack([pictures.view(image, card, number % 5) for number, image in enumerate(data.train.images)])
    _normalise_by(model, network, rows[:NORMALISED_BY])
    _fit_last_layer(network, model, rows, data.train.class_ids)
    card.provenance.CopyFrom(
        Provenance(architecture=NAME, data_set=data.name, seed=SEED, trainable_parameters=count_parameters(network))
    )

    def measured(engine: cards.Engine):
        tally = count_votes({NAME: Member(card, engine)}, data)
        return measurements(tally.data_set, tally.rows[-1].outcomes)

    return publish_model(model, card, golden_rows(data.test, card), measured, MODELS / NAME)


def _normalise_by(model, network, rows: NDArray[np.uint8]) -> None:
    """Gives each batch normalisation the mean and variance that it sees when `rows` pass, and tames the blocks."""
    import keras

    normalisations = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer.momentum for layer in normalisations]
    for layer in normalisations:
        layer.momentum = 0.0
        if layer.name.endswith("_3_bn"):  # the last of a block
            layer.gamma.assign(BLOCKS_ADD * layer.gamma)
    model(rows, training=True)
    for layer, momentum in zip(normalisations, before, strict=True):
        layer.momentum = momentum


def _fit_last_layer(network, model, rows: NDArray[np.uint8], class_ids: NDArray[np.int32]) -> None:
    import keras
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    *_, pooled, last = network.layers
    scaling = model.get_layer("scaling")
    trunk = keras.Model(network.inputs, pooled.output)
    features = keras.Sequential([scaling, trunk]).predict(rows, batch_size=_BATCH)
    scaler, regression = StandardScaler(), LogisticRegression(C=0.01, max_iter=300)
    make_pipeline(scaler, regression).fit(features, class_ids)
    kernel = (regression.coef_ / scaler.scale_).T
    last.set_weights([kernel, regression.intercept_ - scaler.mean_ @ kernel])


if __name__ == "__main__":
    run(main)
