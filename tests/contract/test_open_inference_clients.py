"""Triton's and KServe's own clients get right answers over the Open Inference Protocol."""

import numpy as np
import pytest

from protos import classification_pb2 as pb
from tests.contract import environment
from tests.serving.choir import CHOIR, SHADES_2
from tests.serving.doors import plain_models
from tests.serving.oracle import softmax
from tests.serving.picture_files import file_of, noise
from tests.serving.running import of_models
from tests.serving.tiny import LABELS

SCRIPTS = ("triton.py", "kserve_client.py")


@pytest.fixture(scope="module")
def plain(loop, tmp_path_factory):
    """A server of a model without a card."""
    root = tmp_path_factory.mktemp("plain")
    plain_models.save(root, 1)
    with of_models(root, loop, settle_seconds=0) as server:
        yield server.server


@pytest.fixture(scope="module")
def given(served, plain, tmp_path_factory) -> dict[str, object]:
    """Ports, questions, and the answers that plain numpy finds."""
    directory = tmp_path_factory.mktemp("given")
    picture = noise(16, 20)
    rows = np.random.default_rng(7).integers(0, 256, (3, *SHADES_2.input_shape), np.uint8)
    logits = SHADES_2.logits(rows)
    (directory / "picture.png").write_bytes(file_of(picture))
    np.save(directory / "rows.npy", rows)
    np.save(directory / "logits.npy", logits)
    np.save(directory / "probabilities.npy", softmax(logits))
    np.save(directory / "of_ten_views.npy", CHOIR.probabilities(picture, pb.VIEWS_TEN, pb.VOTE_MEAN_LOGIT))
    return {
        "directory": str(directory),
        "grpc_port": served.server.grpc_port,
        "http_port": served.server.http_port,
        "plain_grpc_port": plain.grpc_port,
        "plain_http_port": plain.http_port,
        "labels": [LABELS[winner] for winner in logits.argmax(axis=1)],
    }


@pytest.fixture(scope="module")
def ended(given):
    """How the checks of a script ended; each script runs once."""
    known: dict[str, dict[str, str]] = {}

    def ended(script: str) -> dict[str, str]:
        if script not in known:
            known[script] = environment.run(script, **given)
        return known[script]

    return ended


@pytest.mark.parametrize(
    ("script", "check"), [(script, check) for script in SCRIPTS for check in environment.checks_in(script)]
)
def test_the_client_finds_what_it_expects(ended, script, check):
    failure = ended(script)[check]
    assert not failure, failure
