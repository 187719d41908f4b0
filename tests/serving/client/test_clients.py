"""The clients a Python caller imports, sync and async alike, ask a real server and get what it says, typed."""

import subprocess
import sys

import numpy as np
import pytest

from protos import classification_pb2 as pb
from serving.errors import InvalidRequest
from tests.serving.choir import CHOIR, SHADES_1, SHADES_2
from tests.serving.oracle import Choir, softmax
from tests.serving.picture_files import file_of, noise
from tests.serving.tiny import LABELS

PICTURE = noise(16, 20)
ENCODED = file_of(PICTURE)


def check(answer, expected):
    probabilities = {prediction.class_id: prediction.probability for prediction in answer.predictions}
    np.testing.assert_allclose([probabilities[class_id] for class_id in range(len(LABELS))], expected, atol=2e-5)
    assert (answer.label, answer.probability) == (LABELS[expected.argmax()], max(probabilities.values()))


def test_a_picture_is_a_path_or_bytes_or_samples(client, tmp_path):
    path = tmp_path / "boot.png"
    path.write_bytes(ENCODED)
    expected = Choir([SHADES_2]).probabilities(PICTURE)
    for picture in (path, str(path), ENCODED, PICTURE, (PICTURE / 255).astype(np.float32)):
        check(client.classify(picture, model="shades", top_k=6), expected)


@pytest.mark.parametrize("samples", [PICTURE[:, ::-1], (PICTURE / 255).astype(">f4"), np.asfortranarray(PICTURE)])
def test_samples_may_lie_in_memory_in_any_order(client, samples):
    picture = samples if samples.dtype == np.uint8 else PICTURE
    check(client.classify(samples, model="shades", top_k=6), Choir([SHADES_2]).probabilities(picture))


@pytest.mark.parametrize("views", ["single", "mirror", "five", "ten"])
@pytest.mark.parametrize("vote", ["mean-probability", "mean-logit", "majority"])
def test_views_and_votes_are_named(client, views, vote):
    answer = client.classify(ENCODED, model="choir", views=views, vote=vote, top_k=6)
    numbers = (
        pb.Views.Value(f"VIEWS_{views.upper().replace('-', '_')}"),
        pb.Vote.Value(f"VOTE_{vote.upper().replace('-', '_')}"),
    )
    np.testing.assert_allclose(answer.probability, CHOIR.probabilities(PICTURE, *numbers).max(), atol=2e-5)
    assert (answer.views, answer.vote) == (views, vote)


@pytest.mark.parametrize(("views", "count"), [("multi-scale", 6), ("grid", 150), ("inception-144", 144)])
def test_every_view_of_a_larger_choice_votes(client, views, count):
    answer = client.classify(
        ENCODED, model="shades", views=views, vote="mean-probability", with_view_scores=True, top_k=6
    )
    assert answer.views == views
    alone = np.array(list(answer.view_scores.values()))
    assert len(alone) == count
    check(answer, alone.mean(axis=0))


def test_dense_views_see_the_whole_canvas_and_its_mirror_image(client):
    answer = client.classify(ENCODED, model="shades", views="dense", with_view_scores=True, top_k=6)
    canvas = np.pad(PICTURE, [(1, 1), (1, 1), (0, 0)])
    alone = softmax(np.stack([SHADES_2.dense_logits(each) for each in (canvas, canvas[:, ::-1])]))
    assert answer.views == "dense"
    assert list(answer.view_scores) == ["whole canvas", "whole canvas mirrored"]
    np.testing.assert_allclose(list(answer.view_scores.values()), alone, atol=2e-5)
    check(answer, alone.mean(axis=0))


def test_boxes_that_are_listed_vote_by_number(client):
    boxes = [(0, 0, 0.75, 0.6), (0.25, 0.4, 1, 1)]
    answer = client.classify(ENCODED, model="shades", boxes=boxes, with_view_scores=True, top_k=6)
    alone = softmax(SHADES_2.logits(np.stack([PICTURE[:12, :12], PICTURE[4:, 8:]])))
    assert answer.views == "boxes"
    assert list(answer.view_scores) == ["box 1", "box 2"]
    np.testing.assert_allclose(list(answer.view_scores.values()), alone, atol=2e-5)
    check(answer, alone.mean(axis=0))


def test_members_see_boxes_at_their_own_size(client):
    answer = client.classify(ENCODED, model="choir", boxes=[(0, 0, 1, 1)], with_member_scores=True)
    assert list(answer.member_scores) == ["shades", "tones", "greys"]


def test_boxes_beside_other_views_are_refused(client):
    with pytest.raises(InvalidRequest, match="1 came with VIEWS_TEN"):
        client.classify(ENCODED, model="shades", views="ten", boxes=[(0, 0, 1, 1)])


@pytest.mark.parametrize("choice", [{"version": 1}, {"version_label": "production"}])
def test_a_version_may_be_asked_for(client, choice):
    answer = client.classify(ENCODED, model="shades", top_k=6, **choice)
    check(answer, Choir([SHADES_1]).probabilities(PICTURE))
    assert answer.model_versions == {"shades": 1}


def test_what_was_left_out_is_the_servers_choice(client):
    answer = client.classify(ENCODED)
    assert answer.model_versions == {"shades": 1, "tones": 1, "greys": 1}
    assert (answer.views, answer.vote, len(answer.predictions)) == ("single", "mean-logit", 5)
    assert (answer.view_scores, answer.member_scores) == ({}, {})
    assert min(answer.decode_seconds, answer.compute_seconds) > 0


def test_scores_of_views_and_members_come_by_name(client):
    answer = client.classify(ENCODED, model="choir", views="mirror", with_view_scores=True, with_member_scores=True)
    assert list(answer.view_scores) == ["centre", "centre mirrored"]
    assert list(answer.member_scores) == ["shades", "tones", "greys"]
    assert all(len(scores) == len(LABELS) for scores in answer.member_scores.values())


def test_models_are_listed(client):
    choir, greys, shades, _ = client.models()
    assert (choir.name, choir.members, choir.versions) == ("choir", {"shades": 1, "tones": 1, "greys": 1}, ())
    assert (shades.versions, shades.version_labels, shades.members) == ((2, 1), {"production": 1}, {})
    assert (greys.labels, greys.vote) == (LABELS, "mean-probability")


def test_a_stream_answers_every_id(client):
    pictures = {f"{number}": noise(16, 20, seed=number) for number in range(20)}
    answers = dict(client.classify_stream(pictures.items(), model="shades", top_k=6))
    assert set(answers) == set(pictures)
    for id, answer in answers.items():
        check(answer, Choir([SHADES_2]).probabilities(pictures[id]))


def test_importing_the_client_imports_no_framework():
    code = "import serving.client, sys; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "serving.client" in imported
    assert not {name.partition(".")[0] for name in imported} & {"tensorflow", "keras", "numpy", "PIL", "training"}
