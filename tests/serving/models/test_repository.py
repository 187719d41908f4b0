"""The repository: what is found on disk is loaded, declared ensembles are formed, and names are looked up."""

import logging

import pytest

from protos.classification_pb2 import VOTE_MAJORITY, VOTE_MEAN_PROBABILITY, ModelSpec
from serving.errors import InvalidRequest, ModelRejected, NotServed
from serving.models.declaration import ModelDeclaration
from tests.serving.models.disk import Disk


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


def members_of(repository, name):
    return [(each.servable.name, each.servable.version) for each in repository.find(ModelSpec(name=name)).members]


def test_the_newest_version_of_every_model_is_loaded_and_no_other(disk):
    disk.add("shades", 1, 2, 10)
    disk.add("tones", 3)
    assert sorted((servable.name, servable.version) for servable in disk.load().servables) == [
        ("shades", 10),
        ("tones", 3),
    ]
    assert sorted(disk.loaded) == [("shades", 10), ("tones", 3)]


def test_a_model_is_loaded_as_it_is_declared(disk):
    disk.add("shades", 1)
    disk.add("tones", 1)
    disk.declare("models: {shades: {allowed_batch_sizes: [1, 3], max_queue_rows: 12}}")
    disk.load()
    assert disk.declared == {
        "shades": ModelDeclaration(allowed_batch_sizes=[1, 3], max_queue_rows=12),
        "tones": ModelDeclaration(),
    }


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        ("{allowed_batch_sizes: [4, 2]}", "ascend"),
        ("{allowed_batch_sizes: [1, 2], max_batch_size: 4}", "the last"),
        ("{max_batch_size: 0}", "greater than 0"),
        ("{batch: 3}", "Extra inputs"),
        ("{engine: onnx}", "'auto', 'tensorflow' or 'openvino'"),
        ("{precision: float16}", "'published', 'float32', 'bfloat16' or 'int8'"),
    ],
)
def test_a_model_that_is_declared_wrong_is_rejected(disk, declared, rule):
    disk.declare(f"models: {{shades: {declared}}}")
    with pytest.raises(ModelRejected, match=rule):
        disk.load()


def test_what_is_no_version_is_passed_over(disk):
    disk.add("shades", 1, ".publishing-x", "latest", "0")
    (disk.root / "README.md").write_text("")
    (disk.root / "empty").mkdir()
    assert disk.load().names == ["shades"]


def test_a_newest_version_that_is_rejected_gives_way_to_the_next_and_the_log_says_why(disk, caplog):
    disk.add("shades", 1, 2, 3)
    disk.broken |= {("shades", 3), ("shades", 2)}
    assert members_of(disk.load(), "shades") == [("shades", 1)]
    assert "shades version 3 is not served: shades 3 is broken" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_a_model_of_which_nothing_loads_is_not_served_and_others_are(disk):
    disk.add("shades", 1)
    disk.add("tones", 1)
    disk.broken.add(("shades", 1))
    assert disk.load().names == ["tones"]


@pytest.mark.parametrize("models", [[], ["shades"]])
def test_a_repository_of_which_nothing_can_be_served_is_refused(disk, models):
    for name in models:
        disk.add(name, 1)
        disk.broken.add((name, 1))
    with pytest.raises(ModelRejected, match="NAME/VERSION/"):
        disk.load()


def test_a_repository_that_is_not_there_is_refused(disk):
    with pytest.raises(ModelRejected):
        Disk(disk.root / "nowhere").load()


def test_labelled_versions_are_loaded_beside_the_newest(disk):
    disk.add("shades", 1, 2, 3)
    disk.declare("labels: {shades: {production: 1, newest: 3}}")
    repository = disk.load()
    assert sorted(disk.loaded) == [("shades", 1), ("shades", 3)]
    production = repository.find(ModelSpec(name="shades", version_label="production"))
    assert production.members[0].servable.version == 1
    assert members_of(repository, "shades") == [("shades", 3)]


def test_a_label_of_a_version_that_is_not_ready_is_not_listed(disk):
    disk.add("shades", 1)
    disk.declare("labels: {shades: {production: 1, gone: 7}}")
    assert disk.load().models["shades"].labels == {"production": 1}


def test_a_version_that_fails_in_any_way_gives_way_to_the_one_before_it(disk, monkeypatch, caplog):
    disk.add("shades", 1, 2)
    load = disk.load_version

    def fail_on_2(directory, declared):
        if directory.name == "2":
            raise MemoryError("too large")
        return load(directory, declared)

    monkeypatch.setattr(disk, "load_version", fail_on_2)
    assert members_of(disk.load(), "shades") == [("shades", 1)]
    assert "too large" in caplog.text


def test_an_ensemble_is_formed_of_newest_and_pinned_versions_by_weight(disk):
    disk.add("shades", 1, 2)
    disk.add("tones", 1, 2)
    disk.declare(
        "ensembles: {choir: {vote: majority, members: [{model: shades, version: 1}, {model: tones, weight: 2}]}}"
    )
    repository = disk.load()
    choir = repository.find(ModelSpec(name="choir"))
    assert members_of(repository, "choir") == [("shades", 1), ("tones", 2)]
    assert ([member.weight for member in choir.members], choir.vote) == ([1.0, 2.0], VOTE_MAJORITY)


def test_an_ensemble_shares_its_members_with_the_models_of_their_names(disk):
    disk.add("shades", 1)
    disk.declare("ensembles: {choir: {members: [{model: shades}]}}")
    repository = disk.load()
    alone, choir = (repository.find(ModelSpec(name=name)) for name in ("shades", "choir"))
    assert alone.members[0].servable is choir.members[0].servable
    assert choir.vote == VOTE_MEAN_PROBABILITY


BAD_ENSEMBLES = {
    "a missing member": ("choir: {members: [{model: shades}, {model: absent}]}", "'absent' is not"),
    "a missing version": ("choir: {members: [{model: shades, version: 9}]}", "version 9 is not"),
    "other labels": ("choir: {members: [{model: shades}, {model: digits}]}", "differ"),
    "a model's name": ("shades: {members: [{model: digits}]}", "A name means one thing; 'shades' is a model too"),
}


@pytest.mark.parametrize("what", BAD_ENSEMBLES)
def test_an_ensemble_that_cannot_be_formed_is_left_out_and_the_log_says_why(disk, caplog, what):
    declared, reason = BAD_ENSEMBLES[what]
    disk.add("shades", 1)
    disk.add("digits", 1)
    disk.labels["digits"] = ("0", "1", "2")
    disk.declare(f"ensembles: {{good: {{members: [{{model: shades}}]}}, {declared}}}")
    repository = disk.load()
    assert repository.names == ["digits", "good", "shades"]
    assert members_of(repository, "shades") == [("shades", 1)]
    assert reason in caplog.text


def test_an_unknown_name_is_refused_with_those_there_are_and_the_nearest(disk):
    disk.add("shades", 1)
    disk.add("tones", 1)
    with pytest.raises(NotServed, match=r"'shade' is not, \['shades', 'tones'\] are\. Did you mean 'shades'\?"):
        disk.load().find(ModelSpec(name="shade"))


def test_a_name_that_is_near_none_gets_no_hint(disk):
    disk.add("shades", 1)
    with pytest.raises(NotServed, match=r"are\.$"):
        disk.load().find(ModelSpec(name="zebra"))


@pytest.mark.parametrize("choice", [{"version": 1}, {"version_label": "production"}])
def test_an_ensemble_has_no_versions(disk, choice):
    disk.add("shades", 1)
    disk.declare("ensembles: {choir: {members: [{model: shades}]}}")
    with pytest.raises(InvalidRequest, match="An ensemble has no versions of its own"):
        disk.load().find(ModelSpec(name="choir", **choice))


@pytest.mark.parametrize("models", [["shades"], ["shades", "tones"]])
def test_without_a_name_the_only_ensemble_answers(disk, models):
    for name in models:
        disk.add(name, 1)
    disk.declare("ensembles: {choir: {members: [{model: shades}]}}")
    assert disk.load().find(ModelSpec()).name == "choir"


def test_without_a_name_and_without_ensembles_the_only_model_answers(disk):
    disk.add("shades", 1)
    assert disk.load().find(ModelSpec()).name == "shades"


@pytest.mark.parametrize("ensembles", ["", "a: {members: [{model: shades}]}, b: {members: [{model: tones}]}"])
def test_without_a_name_several_are_a_question(disk, ensembles):
    disk.add("shades", 1)
    disk.add("tones", 1)
    disk.declare(f"ensembles: {{{ensembles}}}")
    with pytest.raises(InvalidRequest, match="names a model where several are served"):
        disk.load().find(ModelSpec())
