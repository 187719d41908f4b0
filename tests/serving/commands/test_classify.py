"""tencrop classify: tables, JSON, standard input, and exit codes, against a real server."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from serving.commands.classify import classify
from tests.serving.choir import CHOIR, SHADES_2
from tests.serving.oracle import Choir, softmax
from tests.serving.picture_files import file_of, noise
from tests.serving.tiny import LABELS

PICTURE = noise(16, 20)
WINNER = LABELS[Choir([SHADES_2]).probabilities(PICTURE).argmax()]


@pytest.fixture
def boot(tmp_path):
    path = tmp_path / "boot.png"
    path.write_bytes(file_of(PICTURE))
    return str(path)


@pytest.fixture
def run(served):
    def run(*arguments, **options):
        return CliRunner().invoke(classify, [*arguments, "--server", served.address], **options)

    return run


def test_a_picture_gets_a_table_of_labels_with_bars(run, boot):
    result = run(boot, "--model", "shades")
    heading, *rows = result.stdout.splitlines()
    assert (result.exit_code, heading) == (0, f"{boot}  (single of shades 2)")
    assert len(rows) == 5
    assert rows[0].strip().startswith(WINNER)
    assert all("%" in row and ("█" in row or "·" in row) for row in rows)


def test_bars_are_as_long_as_their_labels_are_probable(run, boot):
    rows = run(boot, "--model", "shades", "--top-k", "6").stdout.splitlines()[1:]
    probabilities = sorted(Choir([SHADES_2]).probabilities(PICTURE), reverse=True)
    assert [row.count("█") for row in rows] == [round(probability * 24) for probability in probabilities]
    assert [f"{probability:.1%}" in row for probability, row in zip(probabilities, rows, strict=True)] == [True] * 6


def test_an_answer_that_abstains_says_so_before_its_table(run, boot):
    result = run(boot, "--model", "shades", "--min-confidence", "1")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].startswith("Abstains: The winner's probability is")
    assert json.loads(run(boot, "--model", "shades", "--min-confidence", "1", "--json").stdout)["label"] == ""
    assert json.loads(run(boot, "--model", "shades", "--json").stdout)["label"] == WINNER


def test_options_reach_the_server(run, boot):
    result = run(boot, "--model", "shades", "--label", "production", "--views", "ten", "--vote", "majority", "--json")
    answer = json.loads(result.stdout)
    assert (answer["model_versions"], answer["views"], answer["vote"]) == ({"shades": 1}, "ten", "majority")
    assert json.loads(run(boot, "--model", "shades", "--version", "1", "--json").stdout)["model_versions"] == {
        "shades": 1
    }


def test_boxes_vote_in_the_place_of_views(run, boot):
    result = run(boot, "--model", "shades", "--box", "0,0,0.75,0.6", "--box", "0.25,0.4,1,1", "--json")
    alone = softmax(SHADES_2.logits(np.stack([PICTURE[:12, :12], PICTURE[4:, 8:]])))
    answer = json.loads(result.stdout)
    assert answer["views"] == "boxes"
    assert answer["predictions"][0]["probability"] == pytest.approx(alone.mean(axis=0).max(), abs=2e-5)


@pytest.mark.parametrize("box", ["0,0,1", "0,0,1,1,1", "top,0,1,1", ""])
def test_a_box_that_is_not_four_numbers_is_a_wrong_usage(run, boot, box):
    result = run(boot, "--box", box)
    assert result.exit_code == 2
    assert "four numbers from 0 to 1" in result.stderr


def test_without_a_model_the_only_ensemble_answers(run, boot):
    heading = run(boot).stdout.splitlines()[0]
    assert heading.endswith("(single of shades 1, tones 1, greys 1)")


def test_json_is_one_object_a_line(run, boot):
    result = run(boot, boot, "--json", "--views", "five")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["picture"] for line in lines] == [boot, boot]
    winner = lines[0]["predictions"][0]
    expected = CHOIR.probabilities(PICTURE, views=3, vote=2)
    assert winner["label"] == LABELS[expected.argmax()]
    assert winner["probability"] == pytest.approx(expected.max(), abs=2e-5)


def test_a_dash_is_standard_input(run):
    result = run("-", "--model", "shades", "--json", input=file_of(PICTURE))
    answer = json.loads(result.stdout)
    assert (answer["picture"], answer["predictions"][0]["label"]) == ("-", WINNER)


def test_a_picture_at_fault_is_told_on_standard_error_and_the_others_are_answered(run, boot, tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    notes, missing = str(tmp_path / "notes.txt"), str(tmp_path / "missing.png")
    result = run(notes, missing, boot, "--model", "shades")
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{notes}: A picture is a JPEG")
    assert second.startswith(f"{missing}: ")
    assert "No such file" in second
    assert WINNER in result.stdout


def test_a_picture_at_fault_is_an_object_in_json(run, boot, tmp_path):
    result = run(str(tmp_path / "missing.png"), boot, "--json")
    failed, answered = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 1
    assert "No such file" in failed["error"]
    assert answered["picture"] == boot


def test_a_model_that_is_not_served_is_told(run, boot):
    result = run(boot, "--model", "shade")
    assert result.exit_code == 1
    assert "Did you mean 'shades'?" in result.stderr


def test_no_server_is_told_in_one_line(boot):
    result = CliRunner().invoke(classify, [boot, "--server", "127.0.0.1:1"])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_the_server_may_be_named_in_the_environment(served, boot):
    result = CliRunner(env={"TENCROP_SERVER": served.address}).invoke(classify, [boot])
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "arguments", [[], ["x", "--views", "eleven"], ["x", "--version", "0"], ["x", "--timeout", "0"]]
)
def test_a_wrong_usage_exits_with_2(arguments):
    assert CliRunner().invoke(classify, arguments).exit_code == 2
