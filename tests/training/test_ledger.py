import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from protos.classification_pb2 import Views
from protos.model_card_pb2 import Measurement, ModelCard
from training import ledger
from training.ledger import Entry

TREE = Path(__file__).parents[2]
ENTRY = Entry(
    when="2026-11-23T14:05:09Z",
    model="mine",
    version=1,
    architecture="lenet5",
    data_set="digits",
    seed=3,
    epochs=40,
    seconds=12.5,
    cpu_seconds=24.25,
    top_1_errors={"single": 0.08, "ten": 0.07},
    parameters=61_706,
    device="2 cores",
    git_revision="abc",
)


def of_version(version):
    return dataclasses.replace(ENTRY, version=version)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / ledger.NAME


def test_entries_are_read_as_they_were_appended(path):
    assert ledger.read(path) == []
    for version in (1, 2):
        ledger.append(path, of_version(version))
    assert ledger.read(path) == [of_version(1), of_version(2)]
    assert len(path.read_text().splitlines()) == 2


def test_an_entry_says_what_the_card_says():
    card = ModelCard(
        name="mine",
        measurements=[
            Measurement(views=Views.VIEWS_SINGLE, top_1_error=0.08),
            Measurement(views=Views.VIEWS_TEN, top_1_error=0.07),
        ],
    )
    provenance = card.provenance
    provenance.published.FromJsonString("2026-11-23T14:05:09.123Z")
    provenance.architecture, provenance.data_set, provenance.git_revision = "lenet5", "digits", "abc"
    provenance.seed, provenance.trainable_parameters, provenance.training_seconds = 3, 61_706, 12.5
    provenance.training_cpu_seconds, provenance.device = 24.25, "2 cores"
    provenance.recipe.update({"epochs": 40})
    assert ledger.entry_of(card, 1) == ENTRY
    assert isinstance(ledger.entry_of(card, 1).epochs, int)


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_what_a_power_cut_left_of_a_line_is_named_skipped_and_spoils_no_other(path, kept):
    ledger.append(path, of_version(1))
    whole = json.dumps(dataclasses.asdict(of_version(2)))
    with path.open("a") as file:
        file.write(whole[:kept])
    ledger.append(path, of_version(3))
    with pytest.warns(UserWarning, match=r"line 2 of .*ledger\.jsonl is not, and is skipped"):
        assert ledger.read(path) == [of_version(1), of_version(3)]


def test_a_whole_line_without_its_end_is_kept(path):
    ledger.append(path, of_version(1))
    path.write_bytes(path.read_bytes()[:-1])
    ledger.append(path, of_version(2))
    assert ledger.read(path) == [of_version(1), of_version(2)]


@pytest.mark.parametrize("line", ["[]", "3", '{"model": "mine"}', "\N{REPLACEMENT CHARACTER}", "\0" * 20])
def test_a_line_that_is_no_entry_is_skipped_with_a_warning(path, line):
    path.parent.mkdir()
    path.write_text(line + "\n")
    ledger.append(path, ENTRY)
    with pytest.warns(UserWarning, match=r"line 1 of .*Delete the line"):
        assert ledger.read(path) == [ENTRY]


def test_what_a_line_says_beyond_the_fields_is_left_out(path):
    path.parent.mkdir()
    path.write_text(json.dumps({**dataclasses.asdict(ENTRY), "mood": "good"}) + "\n")
    assert ledger.read(path) == [ENTRY]


class Short:
    """A file of which each write takes some bytes only, as a signal or a full disk would have it."""

    def __init__(self, file, most):
        self._file = file
        self._most = most

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, data):
        return self._file.write(data[: self._most])


def shortened(most, opened=Path.open):
    """Path.open, for files whose writes take `most` bytes."""
    return lambda path, *arguments, **options: Short(opened(path, *arguments, **options), most)


def test_a_write_that_is_cut_short_goes_on(path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", shortened(7))
        for version in (1, 2):
            ledger.append(path, of_version(version))
    assert ledger.read(path) == [of_version(1), of_version(2)]


def test_runs_that_end_at_once_each_have_their_line_whole(path):
    code = f"""
import sys
from pathlib import Path
from tests.training.test_ledger import ENTRY, dataclasses, ledger, shortened
Path.open = shortened(100)
print("ready", flush=True)
sys.stdin.read()
for version in range(40):
    ledger.append(Path({str(path)!r}), dataclasses.replace(ENTRY, model=sys.argv[1], version=version))
"""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, name], cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in "abc"
    ]
    for run in runs:
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.stdin.close()
    for run in runs:
        assert run.wait() == 0
        run.stdout.close()
    entries = ledger.read(path)
    assert len(entries) == 120
    for name in "abc":
        assert [entry.version for entry in entries if entry.model == name] == list(range(40))
