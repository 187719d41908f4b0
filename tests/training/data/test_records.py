import json
import multiprocessing
import os
import signal
import struct

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from tencrop import tencrop
from tests.training.data.conftest import jpeg, write_jpegs
from training import data
from training.data import writing
from training.durable import alone_in
from training.errors import DataUnusable, RunTaken
from training.recipes.recipe import Recipe
from training.streams import Streamed

RECIPE = Recipe(crop="area", input_side=16, shorter_side=16, epochs=1, batch_size=4)


@pytest.fixture
def folder(tmp_path):
    write_jpegs(tmp_path / "pictures", 20, ("ant", "bee"))
    return tmp_path / "pictures"


def write(folder, out, shards=None, **options):
    return writing.write(data.load(str(folder), **options), out, shards, lambda: None)


def features(path):
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        yield {key: [*value.bytes_list.value, *value.int64_list.value][0] for key, value in feature.items()}


def test_the_command_writes_a_folder_in_the_imagenet_convention(folder, tmp_path):
    out = tmp_path / "records"
    result = CliRunner().invoke(tencrop, ["records", str(folder), "--out", str(out), "--shards", "3"])
    assert result.exit_code == 0, result.output
    assert "40 pictures in 4 files" in result.output
    shards = [f"train-0000{number}-of-00003" for number in range(3)] + ["validation-00000-of-00001"]
    assert sorted(os.listdir(out)) == ["labels.txt", "manifest.json", *shards]
    assert (out / "labels.txt").read_text() == "ant\nbee\n"
    assert not list(tmp_path.glob(".*"))
    first = next(features(out / shards[0]))
    name = first["image/class/text"].decode()
    assert first["image/encoded"] == (folder / name / first["image/filename"].decode()).read_bytes()
    assert first["image/class/label"] == {"ant": 1, "bee": 2}[name]
    assert (first["image/height"], first["image/width"], first["image/channels"]) == (30, 40, 3)
    assert (first["image/format"], first["image/colorspace"]) == (b"JPEG", b"RGB")


def test_shards_are_of_a_size_and_mixed(folder, tmp_path):
    manifest = write(folder, tmp_path / "records", 3)
    sizes = [count for name, count in manifest.records.items() if name.startswith("train")]
    assert max(sizes) - min(sizes) <= 1
    for name in manifest.records:
        assert {each["image/class/label"] for each in features(tmp_path / "records" / name)} == {1, 2}


def test_what_is_read_back_is_what_was_written(folder, tmp_path):
    plain = data.load(str(folder))
    write(folder, tmp_path / "records", 3)
    back = data.load(str(tmp_path / "records"))
    assert (back.name, back.labels, back.channels, back.test_name) == ("records", ("ant", "bee"), 3, "validation")
    for part, other in ((back.train, plain.train), (back.test, plain.test)):
        assert list(part.class_ids) == list(other.class_ids)
        for image, expected in zip(part.images, other.images, strict=True):
            np.testing.assert_array_equal(image, expected)


def test_grey_stays_grey(tmp_path):
    write_jpegs(tmp_path / "pictures", 10, mode="L")
    write(tmp_path / "pictures", tmp_path / "records")
    assert data.load(str(tmp_path / "records")).channels == 1
    (tmp_path / "records" / "manifest.json").unlink()
    assert data.load(str(tmp_path / "records")).channels == 1


def test_pictures_held_out_are_the_last_and_no_others(folder, tmp_path, caplog):
    write(folder, tmp_path / "records", 3)
    whole = data.load(str(tmp_path / "records"))
    held = whole.hold_out(15)
    assert len(held.train) == len(whole.train) - 15
    assert [held.train.images.name(index) for index in range(len(held.train))] + [
        held.test.images.name(index) for index in range(15)
    ] == [whole.train.images.name(index) for index in range(len(whole.train))]
    stream = Streamed(held, Recipe(crop="area", input_side=16, shorter_side=16, epochs=1, batch_size=1))
    assert len(list(stream.batches(0, 0))) == len(held.train)
    assert not [message for message in caplog.messages if message.startswith("Skipped")]


def test_without_a_manifest_records_are_counted_once(folder, tmp_path):
    manifest = write(folder, tmp_path / "records", 2)
    path = tmp_path / "records" / "manifest.json"
    path.unlink()
    assert len(data.load(str(tmp_path / "records")).train) == len(data.load(str(folder)).train)
    assert json.loads(path.read_text()) == json.loads(manifest.encode())


def test_labels_with_numbers_say_how_labels_count(folder, tmp_path):
    write(folder, tmp_path / "records")
    (tmp_path / "records" / "labels.txt").write_text("1:ant\n2:bee\n3:cat\n")
    shifted = data.load(str(tmp_path / "records"))
    assert shifted.labels == ("ant", "bee", "cat")
    assert set(shifted.train.class_ids) == {0, 1}
    (tmp_path / "records" / "labels.txt").write_text("0:nothing\n1:ant\n2:bee\n")
    assert set(data.load(str(tmp_path / "records")).train.class_ids) == {1, 2}
    (tmp_path / "records" / "labels.txt").write_text("0:background\n1:ant\n2:bee\n")
    assert data.load(str(tmp_path / "records")).labels == ("ant", "bee")


WRONG_LABELS = {
    "missing": (None, r"labels\.txt is missing\. Write it"),
    "a gap": ("0:ant\n2:bee\n", "without a gap; .* has 2 from 0 to 2"),
    "one": ("ant\n", "two classes at least.* has 1 lines"),
    "twice": ("ant\nant\n", "2 lines and 1 names"),
    "too few for the records": ("5:ant\n6:bee\n", r"Labels go from 5 to 6; this record's is \d"),
}


@pytest.mark.parametrize(("text", "message"), WRONG_LABELS.values(), ids=WRONG_LABELS)
def test_labels_that_do_not_fit_are_refused(folder, tmp_path, text, message):
    write(folder, tmp_path / "records")
    path = tmp_path / "records" / "labels.txt"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(DataUnusable, match=message):
        data.load(str(tmp_path / "records"))


def test_a_missing_shard_is_named(folder, tmp_path):
    write(folder, tmp_path / "records", 3)
    (tmp_path / "records" / "train-00001-of-00003").unlink()
    with pytest.raises(DataUnusable, match=r"All 3 files of train .* lacks train-00001-of-00003"):
        data.load(str(tmp_path / "records"))


def test_a_part_that_is_missing_is_named(folder, tmp_path):
    write(folder, tmp_path / "records")
    (tmp_path / "records" / "validation-00000-of-00001").unlink()
    with pytest.raises(DataUnusable, match="has none of validation"):
        data.load(str(tmp_path / "records"))


@pytest.mark.parametrize("text", ["{", '{"records": 3}', '{"records": {"train-00000-of-00001": 5}, "channels": 3}'])
def test_a_manifest_of_something_else_is_refused(folder, tmp_path, text):
    write(folder, tmp_path / "records")
    (tmp_path / "records" / "manifest.json").write_text(text)
    with pytest.raises(DataUnusable, match="Remove it, and they are counted again"):
        data.load(str(tmp_path / "records"))


def test_a_shard_that_breaks_off_loses_its_end_and_the_records_are_named(folder, tmp_path, caplog):
    manifest = write(folder, tmp_path / "records", 2)
    shard = tmp_path / "records" / "train-00000-of-00002"
    os.truncate(shard, shard.stat().st_size - 10)
    pictures = data.load(str(tmp_path / "records"), tolerated=0.1)
    source = Streamed(pictures, RECIPE)
    for rows, ids in source.batches(0, 0):
        np.testing.assert_array_equal(rows.numpy().mean(axis=(1, 2, 3)) > 120, ids)
    last = manifest.records[shard.name] - 1
    assert f"{shard}, record {last}" in caplog.text
    assert f"The file breaks off after {last} records." in caplog.text


def test_without_a_manifest_the_end_of_a_broken_shard_is_said_to_be_lost(folder, tmp_path, caplog):
    write(folder, tmp_path / "records", 2)
    (tmp_path / "records" / "manifest.json").unlink()
    shard = tmp_path / "records" / "train-00000-of-00002"
    os.truncate(shard, shard.stat().st_size - 10)
    before = len(data.load(str(folder)).train)
    assert len(data.load(str(tmp_path / "records")).train) == before - 1
    assert f"{shard}, which breaks off after" in caplog.text


def rewrite(shard, change):
    """Passes each record's features through `change`."""
    examples = [
        tf.train.Example.FromString(record) for record in tf.data.TFRecordDataset(str(shard)).as_numpy_iterator()
    ]
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for number, example in enumerate(examples):
            change(number, example.features.feature)
            writer.write(example.SerializeToString())


def label_99(number, feature):
    if number == 2:
        feature["image/class/label"].int64_list.value[:] = [99]


def no_label(number, feature):
    if number == 2:
        del feature["image/class/label"]


def half_a_picture(number, feature):
    if number == 2:
        feature["image/encoded"].bytes_list.value[:] = [jpeg([9] * 3)[:-150]]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (label_99, "Labels go from 1 to 2; this record's is 99"),
        (no_label, "image/class/label; this one is not"),
        (half_a_picture, "broke off"),
    ],
)
def test_a_record_that_cannot_be_used_is_named_with_its_number(folder, tmp_path, caplog, change, fault):
    write(folder, tmp_path / "records", 2)
    shard = tmp_path / "records" / "train-00001-of-00002"
    rewrite(shard, change)
    pictures = data.load(str(tmp_path / "records"), tolerated=0.05)
    source = Streamed(pictures, RECIPE)
    assert len(list(source.batches(0, 0))) == source.steps
    assert f"{shard}, record 2" in caplog.text
    assert fault in caplog.text


def test_a_broken_picture_to_measure_on_is_left_out_with_its_class(tmp_path, caplog):
    write_jpegs(tmp_path / "pictures", 60, ("ant", "bee"))
    write(tmp_path / "pictures", tmp_path / "records", 2)
    shard = tmp_path / "records" / "validation-00000-of-00001"
    before = [each["image/class/label"] - 1 for each in features(shard)]
    rewrite(shard, half_a_picture)
    pictures = data.load(str(tmp_path / "records"), tolerated=0.2)
    assert pictures.test.class_ids.tolist() == before[:2] + before[3:]
    assert len(list(pictures.test.images)) == len(before) - 1
    assert f"{shard}, record 2" in caplog.text


def test_a_checksum_that_does_not_fit_ends_a_shard_and_not_the_run(folder, tmp_path, caplog):
    write(folder, tmp_path / "records", 2)
    shard = tmp_path / "records" / "train-00001-of-00002"
    content = bytearray(shard.read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    content[12 + length // 2] ^= 255
    shard.write_bytes(content)
    source = Streamed(data.load(str(tmp_path / "records"), tolerated=0.6), RECIPE)
    assert len(list(source.batches(0, 0))) == source.steps
    assert f"{shard}, record 0" in caplog.text
    (whole,) = [message for message in caplog.messages if f"{shard}, record 1:" in message]
    assert "a checksum before it in the file does not fit" in whole


def test_broken_files_are_left_out_of_records_up_to_the_share(folder, tmp_path, caplog):
    broken = data.load(str(folder)).train.images.paths[3]
    open(broken, "wb").close()
    with pytest.raises(DataUnusable, match="which is 0; 1 are"):
        write(folder, tmp_path / "records")
    assert sorted(os.listdir(tmp_path)) == ["pictures"]
    write(folder, tmp_path / "records", tolerated=0.1)
    assert broken in caplog.text
    assert len(data.load(str(tmp_path / "records")).train) == len(data.load(str(folder), tolerated=0.1).train) - 1


def test_records_are_written_to_a_new_directory(folder, tmp_path):
    with pytest.raises(DataUnusable, match=r"a new directory; .*pictures is there"):
        write(folder, folder)


def test_more_shards_than_pictures_are_refused(folder, tmp_path):
    with pytest.raises(DataUnusable, match=r"at least; .* pictures of train were to go into 99"):
        write(folder, tmp_path / "records", 99)


def test_two_writers_of_one_directory_are_kept_apart(folder, tmp_path):
    with alone_in(tmp_path / ".records.partial", wait=False), pytest.raises(RunTaken, match="another one does"):
        write(folder, tmp_path / "records")


def _write_and_die(pictures, out):
    count = iter(range(10))
    writing.write(pictures, out, 2, lambda: next(count) == 9 and os.kill(os.getpid(), signal.SIGKILL))


def test_a_kill_leaves_no_half_a_set_and_the_next_run_clears_up(folder, tmp_path):
    process = multiprocessing.get_context("spawn").Process(
        target=_write_and_die, args=(data.load(str(folder)), tmp_path / "records")
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "records").exists()
    write(folder, tmp_path / "records")
    assert sorted(os.listdir(tmp_path)) == ["pictures", "records"]
