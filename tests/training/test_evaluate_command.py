import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from serving.models.declaration import VOTES
from serving.pipeline.plans import PLANS
from tests.training.test_evaluate import Brightness, as_member, brightness
from training import data_options, evaluate_command
from training import evaluate as evaluation
from training.data import NAMES
from training.evaluate_command import evaluate
from training.evaluation.report import views_name


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A directory with two models, one always right on eight pictures of three classes, and one always wrong."""
    monkeypatch.chdir(tmp_path)
    shifted = Brightness()
    shifted._targets = np.array([-20, 0, 20])
    engines = {"right": Brightness(), "wrong": shifted}
    for name in engines:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(evaluation, "open_member", lambda directory: as_member(engines[directory.name]))
    use(monkeypatch, brightness(0, 0, 0, 4, 20, 20, 24, 24))
    return tmp_path


def use(monkeypatch, data):
    monkeypatch.setattr(data_options, "load", lambda name, directory, held_out, tolerated: data)


def run(*arguments):
    result = CliRunner().invoke(evaluate, [*arguments, "--data", "levels"], env={"COLUMNS": "100"})
    return result.exit_code, " ".join(result.output.split()), result.output


def test_models_are_measured_alone_and_together(here):
    code, text, _ = run("right", "wrong")
    assert code == 0, text
    assert "levels test, 8 pictures, mean-probability; top-1 error in %" in text
    assert "│ right │ 0.00 │ 0.00 │ 0.00 │ 0.00 │" in text
    assert "│ wrong │ 100.00 │ 100.00 │ 100.00 │ 100.00 │" in text
    assert "│ all 2 │" in text
    assert "expected calibration error in %, over 15 equal bins of the winner's probability" in text


def test_only_the_views_asked_for_are_measured_in_their_own_order(here):
    _, text, _ = run("right", "--views", "ten", "--views", "single")
    assert "single ┃ ten ┃" in text
    assert "│ right │ 0.00 │ 0.00 │" in text


def test_the_votes_of_heavier_models_count_more(here):
    heavy_right = run("right", "wrong", "--weights", "3,1", "--views", "single")[1]
    heavy_wrong = run("right", "wrong", "--weights", "1,3", "--views", "single")[1]
    assert "│ all 2 │ 0.00 │" in heavy_right
    assert "│ all 2 │ 100.00 │" in heavy_wrong


@pytest.mark.parametrize("weights", ["1", "1,2,3", "1,-1", "1,inf", "1,nan", "a,b", ""])
def test_weights_that_are_not_one_positive_number_a_model_are_refused(here, weights):
    code, text, _ = run("right", "wrong", "--weights", weights)
    assert code == 2
    assert "one positive number for each model" in text


def test_a_model_named_twice_is_refused(here):
    code, text, _ = run("right", "right")
    assert code == 2
    assert "one is named twice" in text


def test_classes_are_shown_with_their_errors_and_what_they_were_taken_for(here):
    _, text, _ = run("wrong", "--by-class", "--views", "single")
    assert "wrong on levels test, views: single" in text
    assert "│ dark │ 4 │ 100.00 │ grey (4) │" in text
    assert "│ grey │ 4 │ 100.00 │ bright (4) │" in text
    assert "│ bright │ 0 │ │ │" in text


def test_the_confusion_matrix_is_printed_in_plain_lines(here):
    _, _, output = run("wrong", "--confusion")
    assert output.splitlines()[-5:] == [
        "wrong on levels test, views: ten",
        "          0  1  2",
        "0 dark    ·  4  ·",
        "1 grey    ·  ·  4",
        "2 bright  ·  ·  ·",
    ]


def test_a_confusion_matrix_of_many_classes_is_drawn_and_not_printed(here, monkeypatch):
    labels = tuple(f"class {number}" for number in range(21))
    use(monkeypatch, brightness(0, 20, labels=labels))
    monkeypatch.setattr(evaluation, "open_member", lambda directory: as_member(Brightness(21), labels))
    code, text, _ = run("right", "--confusion")
    assert code == 2
    assert "printed for up to 20 classes; levels has 21. Draw it with --figure" in text
    assert run("right", "--figure", "drawn/confusion.png")[0] == 0
    with Image.open("drawn/confusion.png") as image:
        assert image.format == "PNG"


def test_a_picture_that_cannot_be_written_costs_no_number(here):
    (here / "file").touch()
    code, text, _ = run("right", "--figure", "file/confusion.png")
    assert code == 1
    assert "│ right │ 0.00 │" in text


def test_everything_is_printed_as_one_object(here):
    _, _, output = run("right", "wrong", "--json", "--vote", "majority")
    told = json.loads(output)
    assert (told["data_set"], told["pictures"], told["vote"]) == ("levels test", 8, "majority")
    assert told["weights"] == {"right": 1.0, "wrong": 1.0}
    results = {(each["name"], each["views"]): each for each in told["results"]}
    assert len(results) == 12
    assert results["wrong", "five"]["top_1_error"] == 1
    assert results["wrong", "five"]["top_5_error"] is None
    assert results["wrong", "five"]["calibration_error"] == 1  # all the ballots, and never right
    closely = told["closely"]
    assert (closely["name"], closely["views"]) == ("all 2", "ten")
    assert np.array(closely["confusion"]).sum(axis=1).tolist() == [4, 4, 0]
    assert [each["pictures"] for each in closely["classes"]] == [4, 4, 0]
    assert closely["classes"][2] == {"label": "bright", "pictures": 0, "error": None, "taken_for": None, "taken": 0}
    assert len(closely["reliability"]) == 15
    assert sum(each["pictures"] for each in closely["reliability"]) == 8


def test_views_that_are_all_among_those_of_a_grid_are_measured_together(here):
    _, text, _ = run("right", "--views", "ten", "--views", "multi-scale")
    assert "ten ┃ multi-scale ┃" in text
    assert "│ right │ 0.00 │ 0.00 │" in text


def test_views_that_no_choice_has_together_are_refused(here):
    code, text, _ = run("right", "--views", "five", "--views", "inception-144")
    assert code == 2
    assert "five and inception-144 are not" in text


def test_views_and_votes_of_the_options_are_those_that_serving_knows():
    assert list(evaluate_command._VIEWS) == [views_name(views) for views in PLANS]
    assert list(evaluate_command._VOTES) == list(VOTES)


def test_help_teaches_by_example_and_names_every_data_set():
    text = CliRunner().invoke(evaluate, ["--help"]).output
    assert "Examples:\n    tencrop evaluate" in text
    assert all(name in text for name in NAMES)
