"""The documents agree with the code: settings, metrics, commands, options, make targets and links."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

import tencrop
from serving.metrics import Metrics
from serving.models.declaration import (
    CanaryDeclaration,
    Declaration,
    EnsembleDeclaration,
    MemberDeclaration,
    ModelDeclaration,
)
from serving.settings import Settings

TREE = Path(__file__).parents[1]
_PATTERNS = ("*.md", "docs/*.md", "serving/*.md", "training/*.md", "tests/*/*.md")
DOCUMENTS = [path for pattern in _PATTERNS for path in sorted(TREE.glob(pattern))]
SERVING = (TREE / "serving" / "README.md").read_text()


def identified(path: Path) -> str:
    return path.relative_to(TREE).as_posix()


def commands_in(text: str, program: str) -> list[str]:
    """Every use of `program` in code: lines of a block, with or without a prompt, and code in a line of prose."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.M | re.S)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    used = [*lines, *re.findall(r"`([^`\n]+)`", prose)]
    return [each for each in used if each.split()[:1] == [program] and len(each.split()) > 1]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name):
    assert f"| `{name}` |" in SERVING


def test_every_default_is_documented_as_it_is():
    documented = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", SERVING, re.M))
    fields = {name: field for name, field in Settings.model_fields.items() if name in documented}
    assert documented == {name: str(field.get_default(call_default_factory=True)) for name, field in fields.items()}
    assert len(documented) >= 8


@pytest.mark.parametrize(
    "declared", [CanaryDeclaration, Declaration, EnsembleDeclaration, MemberDeclaration, ModelDeclaration]
)
def test_everything_that_can_be_declared_stands_in_the_example_of_models_yaml(declared):
    example = re.search(r"^```yaml\n(# models.yaml\n.*?)^```", SERVING, re.M | re.S).group(1)
    assert [field for field in declared.model_fields if f"{field}:" not in example] == []
    Declaration.model_validate(yaml.safe_load(example))


def metric_names() -> set[str]:
    families = [family for family in Metrics().registry.collect() if family.name.startswith("tencrop_")]
    return {family.name + ("_total" if family.type == "counter" else "") for family in families}


def test_every_metric_is_documented_and_no_other():
    assert set(re.findall(r"^\| `(tencrop_\w+)` \|", SERVING, re.M)) == metric_names()


def test_the_labels_of_every_metric_are_documented():
    documented = dict(re.findall(r"^\| `(tencrop_\w+)` \| (?:([^|]+) )?\|", SERVING, re.M))
    declared = {
        collector._name + ("_total" if collector._type == "counter" else ""): ", ".join(collector._labelnames)
        for collector in vars(Metrics()).values()
        if hasattr(collector, "_labelnames") and not collector._labelvalues
    }
    assert documented == declared


@pytest.mark.parametrize("document", DOCUMENTS, ids=identified)
def test_every_tencrop_command_in_a_document_can_be_given(document):
    for line in commands_in(document.read_text(), "tencrop"):
        _, name, *words = shlex.split(line.partition("#")[0].partition("|")[0])
        if name.startswith("-"):
            continue
        command = tencrop.tencrop.get_command(click.Context(tencrop.tencrop), name)
        assert command, f"{line}: there is no such command"
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        unknown = {word.partition("=")[0] for word in words if word.startswith("--")} - options - {"--help"}
        assert not unknown, f"{line}: there is no {unknown}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=identified)
def test_every_make_target_in_a_document_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (TREE / "Makefile").read_text(), re.M))
    used = {line.split()[1] for line in commands_in(document.read_text(), "make")}
    assert used <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=identified)
def test_every_link_into_the_tree_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_the_main_document_shows_the_two_commands():
    text = (TREE / "README.md").read_text()
    for command in ("make serve", "tencrop classify"):
        assert command in text
