import io
import logging
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from serving.pipeline.picture import Limits, decode, open_header
from tests.training.data.conftest import jpeg, write_jpegs
from training import data, recipes
from training.batches import Canvases
from training.canvases import lay_out
from training.cuts import cutter
from training.data import DataSet, Pictures, writing
from training.errors import BadRecipe, DataUnusable
from training.recipes.recipe import Recipe
from training.sources import clear_stops, source_of, validation_of
from training.streams import Streamed

RECIPE = Recipe(crop="anywhere", input_side=16, shorter_side=20, mirror=True, epochs=3, batch_size=8)


@pytest.fixture(params=["files", "records", "arrays"])
def animals(request, tmp_path) -> DataSet:
    """36 or so training pictures, of 3 classes by their brightness."""
    write_jpegs(tmp_path / "pictures", 14, ("dark", "grey", "light"))
    folder = data.load(str(tmp_path / "pictures"))
    if request.param == "records":
        writing.write(folder, tmp_path / "records", 3, lambda: None)
        return data.load(str(tmp_path / "records"))
    if request.param == "arrays":
        images = np.stack([np.asarray(image) for image in folder.train.images])
        return DataSet("arrays", folder.labels, Pictures(images, folder.train.class_ids), folder.test)
    return folder


def read(source, seed=5, first_epoch=0):
    return [(rows.numpy(), ids.numpy()) for rows, ids in source.batches(seed, first_epoch)]


def class_of(rows):
    return np.digitize(rows.mean(axis=(1, 2, 3)), [80, 160])


def test_rows_are_crops_of_pictures_of_their_class(animals):
    batches = read(Streamed(animals, RECIPE))
    assert len(batches) == 3 * (len(animals.train) // 8)
    for rows, ids in batches:
        assert (rows.dtype, rows.shape, ids.dtype, ids.shape) == (np.uint8, (8, 16, 16, 3), np.int32, (8,))
        np.testing.assert_array_equal(class_of(rows), ids)


def test_a_stream_from_a_later_epoch_is_the_tail_of_the_whole(animals):
    source = Streamed(animals, RECIPE)
    whole = read(source)
    tf.random.set_seed(77)  # of the process, which has no part in it
    tail = read(Streamed(animals, RECIPE), first_epoch=2)
    assert len(tail) == source.steps
    for (rows, ids), (tail_rows, tail_ids) in zip(whole[-source.steps :], tail, strict=True):
        np.testing.assert_array_equal(rows, tail_rows)
        np.testing.assert_array_equal(ids, tail_ids)


def test_epochs_and_seeds_differ(animals):
    source = Streamed(animals, RECIPE)
    orders = np.concatenate([ids for _, ids in read(source)]).reshape(3, -1)
    assert len({tuple(order) for order in orders}) == 3
    other = np.concatenate([ids for _, ids in read(source, seed=6)])
    assert (other != orders.ravel()).any()


def test_each_picture_comes_once_an_epoch(tmp_path):
    images = np.tile(np.arange(20, dtype=np.uint8)[:, None, None, None] * 10, (1, 9, 9, 1))
    numbers = Pictures(images, np.arange(20, dtype=np.int32))
    source = Streamed(DataSet("numbers", tuple("abcdefghijklmnopqrst"), numbers, numbers), RECIPE)
    for epoch in np.concatenate([ids for _, ids in read(source)]).reshape(3, 16):
        assert len(set(epoch)) == 16


@pytest.mark.parametrize("crop", ["anywhere", "area"])
def test_crops_and_mirror_images_differ_from_picture_to_picture(crop):
    slope = np.tile(np.linspace(0, 255, 64).astype(np.uint8)[None, None, :, None], (16, 48, 1, 1))
    pictures = Pictures(slope, np.zeros(16, np.int32))
    recipe = Recipe(crop=crop, input_side=16, shorter_side=20, mirror=True, epochs=1, batch_size=16)
    ((rows, _),) = read(Streamed(DataSet("slopes", ("a", "b"), pictures, pictures), recipe))
    falls = rows[:, 8, 0, 0] > rows[:, 8, -1, 0]
    assert 2 <= falls.sum() <= 14
    assert len({row.tobytes() for row in rows}) > 10


@pytest.mark.parametrize("margin", [0, 2, 12])
@pytest.mark.parametrize("size", [(90, 60), (60, 90), (64, 60), (50, 50)])
def test_the_canvas_of_shifted_crops_is_servings(size, margin):
    samples = np.random.default_rng(0).integers(0, 255, (6, 9, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(samples).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=95)
    recipe = Recipe(input_side=32, shorter_side=32, margin=margin)
    ours = cutter(recipe, 3)(tf.constant(file.getvalue()), (0, 0)).numpy()
    (theirs,) = lay_out([np.asarray(decode(open_header(file.getvalue(), Limits())))], recipe, 3)
    np.testing.assert_array_equal(ours.any(axis=2), theirs.any(axis=2))
    assert np.abs(ours.astype(int) - theirs).mean() < 3


def test_shifted_crops_lie_up_to_so_many_pixels_from_the_centre():
    rows, columns = np.indices((40, 60), np.uint8)
    picture = tf.constant(np.stack([3 * rows, 3 * columns, 0 * rows], axis=2))
    cut = cutter(Recipe(input_side=24, shorter_side=40, translate=5), 3)
    crops = np.stack([cut(picture, (0, number)) for number in range(300)])
    shifts = crops[:, 0, 0, :2] // 3 - np.array([8, 18])
    assert (shifts.min(axis=0).tolist(), shifts.max(axis=0).tolist()) == ([-5, -5], [5, 5])
    assert np.abs(shifts.mean(axis=0)).max() < 0.7


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("end", ["<", ">"])
def test_a_jpeg_is_turned_upright_as_serving_does_it(orientation, end):
    exif = Image.Exif()
    exif.endian = end
    exif[0x0112] = orientation
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (4, 4, 3), np.uint8)).resize((32, 32))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95, exif=exif)
    ours = cutter(Recipe(input_side=32, shorter_side=32), 3)(tf.constant(file.getvalue()), (0, 0)).numpy()
    theirs = np.asarray(decode(open_header(file.getvalue(), Limits())))
    assert np.abs(ours.astype(int) - theirs).max() <= 2


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP"])
def test_other_files_are_decoded_by_servings_decoder(kind):
    picture = Image.new("RGBA" if kind in ("PNG", "WEBP") else "RGB", (20, 20), (200, 10, 10))
    if picture.mode == "RGBA":
        picture.putalpha(0)
    file = io.BytesIO()
    picture.save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    ours = cutter(Recipe(input_side=16, shorter_side=16), 3)(tf.constant(file.getvalue()), (0, 0)).numpy()
    expected = (255, 255, 255) if picture.mode == "RGBA" else (200, 10, 10)
    assert np.abs(ours.astype(int) - expected).max() <= 1


def test_grey_data_sets_give_grey_rows(tmp_path):
    write_jpegs(tmp_path, 10, mode="L")
    source = Streamed(data.load(str(tmp_path)), RECIPE)
    assert next(iter(source.batches(0, 0)))[0].shape == (8, 16, 16, 1)
    assert source.statistics().mean.shape == (1,)


def test_statistics_are_those_of_canvases(animals):
    recipe = Recipe(input_side=16, shorter_side=16, batch_size=8, epochs=1)
    streamed, kept = (
        Streamed(animals, recipe).statistics(),
        Canvases(
            DataSet("x", animals.labels, data.encoded.checked(animals.train, "x", 0), animals.test), recipe
        ).statistics(),
    )
    np.testing.assert_allclose(streamed.mean, kept.mean)
    np.testing.assert_allclose(streamed.deviation, kept.deviation)


def test_colours_are_shifted_where_the_recipe_says_so(animals):
    plain, coloured = (
        read(Streamed(animals, Recipe(**each, input_side=16, shorter_side=16, batch_size=8, epochs=1, crop="area")))
        for each in ({}, {"colour": 3.0})
    )
    assert any((rows != others).any() for (rows, _), (others, _) in zip(plain, coloured, strict=True))


BROKEN = {"cut off": jpeg([90] * 3)[:-150], "empty": b"", "text": b"This is no picture."}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_once_counted_each_epoch_and_its_place_is_filled(tmp_path, caplog, content):
    write_jpegs(tmp_path, 18)
    pictures = data.load(str(tmp_path), tolerated=0.1)
    broken = pictures.train.images.paths[4]
    with open(broken, "wb") as file:
        file.write(content)
    recipe = Recipe(crop="area", input_side=16, shorter_side=16, epochs=3, batch_size=len(pictures.train))
    source = Streamed(pictures, recipe)
    with caplog.at_level(logging.WARNING, "tencrop.data"):
        batches = read(source)
    assert [len(ids) for _, ids in batches] == [len(pictures.train)] * 3
    named = [message for message in caplog.messages if broken in message]
    counts = [message for message in caplog.messages if message.startswith("Skipped 1 of")]
    assert (len(named), len(counts)) == (1, 3)


def test_what_follows_a_broken_picture_stays_as_it_was(tmp_path):
    write_jpegs(tmp_path, 18)
    pictures = data.load(str(tmp_path), tolerated=0.1)
    recipe = Recipe(crop="area", input_side=16, shorter_side=16, epochs=1, batch_size=1, steps=20)
    before = [rows.tobytes() for rows, _ in read(Streamed(pictures, recipe))]
    open(pictures.train.images.paths[4], "wb").close()
    after = [rows.tobytes() for rows, _ in read(Streamed(pictures, recipe))]
    missing = next((place for place, rows in enumerate(before) if rows not in after), 20)
    assert after[:19] == (before[:missing] + before[missing + 1 :])[:19]


def test_more_broken_files_than_tolerated_stop_the_stream_in_words(tmp_path):
    write_jpegs(tmp_path, 30)
    pictures = data.load(str(tmp_path), tolerated=0.05)
    assert int(0.05 * len(pictures.train)) == 2
    for path in pictures.train.images.paths[:3]:
        open(path, "wb").close()
    source = Streamed(pictures, RECIPE)
    with (
        pytest.raises(DataUnusable, match=r"0\.05 may be broken, which is 2; 3 are: .*jpg.*--skip-corrupt"),
        source.stops_clearly(),
    ):
        read(source)


def test_a_stream_of_nothing_but_broken_files_ends(tmp_path):
    write_jpegs(tmp_path, 18)
    pictures = data.load(str(tmp_path), tolerated=0.9)
    source = Streamed(pictures, RECIPE)
    for path in pictures.train.images.paths:
        open(path, "wb").close()
    with pytest.raises(DataUnusable, match=r"share of 0\.9 may be broken"), source.stops_clearly():
        read(source)
    with pytest.raises(DataUnusable, match="none of the"):
        source.statistics()


def test_another_error_inside_the_block_is_passed_on(animals):
    with pytest.raises(tf.errors.NotFoundError), Streamed(animals, RECIPE).stops_clearly():
        tf.io.read_file("nowhere")


def test_fewer_pictures_than_a_batch_are_refused(animals):
    with pytest.raises(BadRecipe, match="training pictures fill 0 of 99"):
        Streamed(animals, Recipe(crop="area", batch_size=99))


def test_shifted_crops_of_small_data_are_kept_and_others_streamed(animals, monkeypatch):
    shifted = Recipe(input_side=16, shorter_side=16, batch_size=8)
    assert isinstance(source_of(animals, shifted), Canvases)
    assert isinstance(source_of(animals, RECIPE), Streamed)
    monkeypatch.setattr("training.sources.KEPT", 1000)
    assert isinstance(source_of(animals, shifted), Streamed)


def test_a_broken_file_among_kept_pictures_is_skipped_too(tmp_path):
    write_jpegs(tmp_path, 18)
    pictures = data.load(str(tmp_path), tolerated=0.05)
    open(pictures.train.images.paths[0], "wb").close()
    recipe = Recipe(input_side=16, shorter_side=16, batch_size=len(pictures.train) - 1, epochs=1)
    assert source_of(pictures, recipe).steps == 1
    open(pictures.train.images.paths[1], "wb").close()
    with pytest.raises(DataUnusable, match="2 are"):
        source_of(pictures, recipe)


def test_pictures_for_validation_are_the_same_kept_or_streamed(animals, monkeypatch):
    recipe = Recipe(input_side=12, shorter_side=14, batch_size=4)
    kept = [(rows.numpy(), ids.numpy()) for rows, ids in validation_of(animals, recipe, 3)]
    monkeypatch.setattr("training.sources.KEPT", 0)
    streamed = validation_of(animals, recipe, 3)
    assert len(streamed) == len(kept) == 1
    for (rows, ids), (others, other_ids) in zip(kept, streamed, strict=True):
        np.testing.assert_array_equal(rows, others)
        np.testing.assert_array_equal(ids, other_ids)


def test_a_broken_file_that_is_held_out_is_left_out_and_named(tmp_path, caplog):
    write_jpegs(tmp_path, 18)
    pictures = data.load(str(tmp_path), tolerated=0.2)
    broken = pictures.train.images.paths[-2]
    open(broken, "wb").close()
    assert len(pictures.hold_out(8).test) == 7
    assert broken in caplog.text


KEEPS_AN_ITERATOR = """
import sys
from training import data
from training.recipes.recipe import Recipe
from training.streams import Streamed
recipe = Recipe(crop="anywhere", input_side=32, shorter_side=64, batch_size=4, epochs=50)
kept = iter(Streamed(data.load(sys.argv[1]), recipe).batches(0, 0))
next(kept)
"""


def test_python_ends_where_an_iterator_is_kept_and_its_threads_are_at_work(tmp_path):
    for name in ("ant", "bee"):
        (tmp_path / name).mkdir()
        for number in range(20):
            noise = np.random.default_rng(number).integers(0, 256, (600, 600, 3), np.uint8)
            Image.fromarray(noise).save(tmp_path / name / f"{number}.png", compress_level=1)
    subprocess.run([sys.executable, "-c", KEEPS_AN_ITERATOR, str(tmp_path)], check=True, timeout=120)


def test_stops_of_any_source_are_clear(tmp_path):
    write_jpegs(tmp_path, 18)
    pictures = data.load(str(tmp_path))
    open(pictures.train.images.paths[0], "wb").close()
    source = source_of(pictures, RECIPE)
    with pytest.raises(DataUnusable, match="which is 0; 1 are"), clear_stops(source):
        read(source)


# One of each kind that there is.
KINDS = {
    (recipe.crop, recipe.scale_jitter, recipe.input_side): name
    for name in recipes.RECIPES
    if (recipe := recipes.find(name, "directory"))
}


@pytest.mark.parametrize("architecture", KINDS.values())
def test_the_papers_recipes_take_small_arrays_too(tiny_data, architecture):
    recipe = recipes.find(architecture, "directory", "smoke")
    rows, ids = next(iter(source_of(tiny_data, recipe).batches(0, 0)))
    assert rows.shape == (2, recipe.input_side, recipe.input_side, 1)
    assert ids.shape == (2,)
