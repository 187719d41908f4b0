"""The front door: help that one can learn from, rooms that are entered only when called, and errors in one line."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import tencrop
from serving.errors import NotServed

TREE = Path(__file__).parents[1]
HEAVY = {"tensorflow", "keras", "numpy", "sklearn", "PIL"}


def command(name: str) -> click.Command:
    return tencrop.tencrop.get_command(click.Context(tencrop.tencrop), name)


def imported_by(*arguments: str) -> set[str]:
    """The top-level modules that are imported once `tencrop ARGUMENTS` has run, and our own in full."""
    code = f"""
import sys
import tencrop
sys.argv = ["tencrop", *{list(arguments)!r}]
try:
    tencrop.main()
except SystemExit:
    pass
print("MODULES", *sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=TREE, capture_output=True, text=True, check=True)
    names = run.stdout.rpartition("MODULES")[2].split()
    return {name.partition(".")[0] for name in names} | {name for name in names if name.startswith("serving.")}


def test_the_list_of_commands_is_shown_without_entering_a_room():
    imported = imported_by("--help")
    assert not imported & HEAVY
    assert "training" not in imported
    assert "serving.client" not in imported


@pytest.mark.parametrize("arguments", [("classify", "--help"), ("classify", __file__, "--server", "127.0.0.1:1")])
def test_classify_needs_neither_a_framework_nor_training(arguments):
    imported = imported_by(*arguments)
    assert "serving.commands.classify" in imported
    assert not imported & (HEAVY | {"training"})


@pytest.mark.parametrize("arguments", [("models", "--help"), ("serve", "--help"), ("train", "--help")])
def test_the_help_of_a_command_needs_no_framework(arguments):
    assert not imported_by(*arguments) & {"tensorflow", "keras"}


@pytest.mark.parametrize("name", tencrop.COMMANDS)
def test_the_help_of_every_command_is_a_page_with_an_example(name):
    result = CliRunner().invoke(tencrop.tencrop, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert f"  tencrop {name}" in result.output


@pytest.mark.parametrize("name", tencrop.COMMANDS)
def test_every_option_of_every_command_is_explained(name):
    options = [each for each in command(name).params if isinstance(each, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_the_list_of_commands_explains_each_and_the_way_through():
    result = CliRunner().invoke(tencrop.tencrop, ["--help"])
    for name, (_, line) in tencrop.COMMANDS.items():
        assert f"  {name}" in result.output
        assert line in result.output
    assert "tencrop train lenet5 --data digits" in result.output


def test_an_unknown_command_exits_with_2():
    assert CliRunner().invoke(tencrop.tencrop, ["clasify"]).exit_code == 2


def test_the_version_is_told():
    result = CliRunner().invoke(tencrop.tencrop, ["--version"])
    assert result.output.startswith("tencrop, version ")


@pytest.mark.parametrize("error", [NotServed("A model has to be served."), FileNotFoundError("no such file")])
def test_what_is_wrong_is_said_in_one_line(monkeypatch, error):
    @click.command()
    def failing():
        raise error

    monkeypatch.setattr(tencrop, "tencrop", failing)
    monkeypatch.setattr(sys, "argv", ["tencrop"])
    with pytest.raises(SystemExit) as end:
        tencrop.main()
    assert end.value.code == f"tencrop: {error}"


def test_a_directory_without_models_is_said_to_be_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tencrop", "serve", "--models", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        tencrop.main()
    assert f"none in {tmp_path} could be loaded. Train one with `tencrop train`" in end.value.code
    assert f"Loading models from {tmp_path}" in capsys.readouterr().out
