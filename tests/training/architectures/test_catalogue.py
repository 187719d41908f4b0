"""What is published of each architecture is what its network has."""

import pytest

from tests.training.architectures.outlines import outlined
from training import architectures
from training.architectures import cost
from training.architectures.catalogue import ALIASES, ARCHITECTURES


@pytest.mark.parametrize("row", ARCHITECTURES, ids=lambda row: row.name)
def test_parameters_and_multiply_adds_are_those_of_the_network(row):
    network = outlined(row.name)
    assert cost.parameters(network) == row.parameters
    assert cost.multiply_adds(network) == row.multiply_adds


@pytest.mark.parametrize(
    ("name", "options", "parameters", "millions"),
    [
        ("alexnet", {"groups": 1}, 62_378_344, 1_135),
        ("alexnet", {"lrn": "off"}, 60_965_224, 724),
        ("zfnet", {"maps": "384-384-256"}, 62_357_608, 1_168),
        ("googlenet", {"training_heads": True}, 13_378_280, 1_591),
        ("googlenet", {"batch_norm": True}, 7_005_832, 1_583),
        ("resnet50", {"v1_5": True}, 25_557_032, 4_089),
        ("resnet101", {"v1_5": True}, 44_549_160, 7_801),
        ("resnet152", {"v1_5": True}, 60_192_808, 11_514),
    ],
    ids=str,
)
def test_variants_cost_what_is_known_of_them(name, options, parameters, millions):
    network = outlined(name, **options)
    assert cost.parameters(network) == parameters
    assert round(cost.multiply_adds(network) / 1e6) == millions


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_every_alias_means_an_architecture(alias, name):
    assert architectures.find(alias).name == name


def test_no_two_architectures_are_spelt_alike():
    spelt = ["".join(filter(str.isalnum, row.name)) for row in ARCHITECTURES] + list(ALIASES)
    assert len(spelt) == len(set(spelt))
