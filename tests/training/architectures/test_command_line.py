"""tencrop architectures"""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from training.architectures.catalogue import ARCHITECTURES
from training.architectures.command_line import architectures
from training.errors import UnknownName

TREE = Path(__file__).parents[3]


def lines(*arguments: str) -> list[list[str]]:
    result = CliRunner().invoke(architectures, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return [line.split() for line in result.output.splitlines()]


def test_every_architecture_has_one_line():
    heading, *rows = lines()
    assert heading[:5] == ["name", "year", "input", "parameters", "multiply-adds"]
    assert [row[0] for row in rows] == [row.name for row in ARCHITECTURES]
    published = ["alexnet", "2012", "227x227x3", "60,965,224", "724,406,816", "40.7", "/", "18.2"]
    assert [*published, "90", "x", "128,", "0.01", "plateau"] in rows


def test_the_list_needs_no_framework():
    code = """
import sys
from training.architectures.command_line import architectures
architectures([], standalone_mode=False)
assert not {"keras", "tensorflow", "numpy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=TREE, check=True, capture_output=True)


def test_the_layers_of_one_are_told_with_shape_field_and_stride():
    rows = lines("VGG-D")
    assert rows[0] == ["layer", "kind", "output", "parameters", "multiply-adds", "field", "stride"]
    assert ["conv3_2", "Conv2D", "56x56x256", "590,080", "1,849,688,064", "32", "4"] in rows
    assert rows[-1] == ["total", "138,357,544", "15,470,264,320"]


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet152", "densenet-bc100-k12"])
def test_no_row_of_a_layer_table_is_broken(name):
    assert all(len(line) >= 3 for line in lines(name))


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'vgg-a'"):
        CliRunner().invoke(architectures, ["vgg-aa"], catch_exceptions=False)
