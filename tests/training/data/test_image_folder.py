from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import data
from training.canvases import lay_out
from training.data import image_folder
from training.errors import DataUnusable
from training.recipes.recipe import Recipe


def write_pictures(directory, count, colour, mode="RGB", size=(9, 6)):
    directory.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new(mode, size, colour).save(directory / f"{number}.png")


def test_folders_are_classes_in_alphabetical_order(tmp_path):
    write_pictures(tmp_path / "zebra", 40, (1, 2, 3))
    write_pictures(tmp_path / "ant", 40, (4, 5, 6))
    animals = data.load(str(tmp_path))
    assert animals.labels == ("ant", "zebra")
    for image, class_id in zip(animals.train.images, animals.train.class_ids, strict=True):
        assert image.shape == (6, 9, 3)
        assert image[0, 0].tolist() == ([4, 5, 6], [1, 2, 3])[class_id]


def test_about_a_tenth_is_held_out_and_stays_so_when_pictures_come(tmp_path):
    write_pictures(tmp_path / "a", 100, 0, "L")
    write_pictures(tmp_path / "b", 100, 0, "L")
    before = data.load(str(tmp_path))
    assert len(before.train) + len(before.test) == 200
    assert 8 <= len(before.test) <= 35
    write_pictures(tmp_path / "c", 50, 0, "L")
    after = data.load(str(tmp_path))
    assert set(before.test.images.paths) <= set(after.test.images.paths)
    assert [path for path in after.train.images.paths if "/c/" not in path] == list(before.train.images.paths)
    assert not set(after.test.images.paths) & set(after.train.images.paths)


@pytest.mark.parametrize("test_name", ["test", "val"])
def test_a_split_that_is_made_already_is_taken(tmp_path, test_name):
    for part, count in (("train", 3), (test_name, 2)):
        write_pictures(tmp_path / part / "a", count, 0, "L")
        write_pictures(tmp_path / part / "b", count, 255, "L")
    pictures = data.load(str(tmp_path))
    assert (len(pictures.train), len(pictures.test), pictures.test_name) == (6, 4, test_name)


def test_parts_with_other_classes_are_refused(tmp_path):
    for folder in ("train/a", "train/b", "test/a", "test/c"):
        write_pictures(tmp_path / folder, 1, 0, "L")
    with pytest.raises(DataUnusable, match=r"has a, b and .* has a, c"):
        data.load(str(tmp_path))


def test_grey_pictures_stay_grey_unless_one_has_colours(tmp_path):
    write_pictures(tmp_path / "train/a", 2, 7, "L")
    write_pictures(tmp_path / "train/b", 2, 7, "L")
    write_pictures(tmp_path / "test/a", 2, 7, "L")
    write_pictures(tmp_path / "test/b", 2, 7, "L")
    assert data.load(str(tmp_path)).channels == 1
    write_pictures(tmp_path / "test/b", 1, (1, 2, 3))
    coloured = data.load(str(tmp_path))
    assert coloured.channels == 3
    assert coloured.train.images[0][0, 0].tolist() == [7, 7, 7]


def test_an_empty_class_folder_is_refused(tmp_path):
    write_pictures(tmp_path / "a", 2, 0, "L")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("none yet")
    with pytest.raises(DataUnusable, match="/b holds none"):
        data.load(str(tmp_path))


def test_a_single_class_is_refused(tmp_path):
    write_pictures(tmp_path / "a", 2, 0, "L")
    with pytest.raises(DataUnusable, match=r"at least two folders.* has 1"):
        data.load(str(tmp_path))


def test_training_pictures_come_mixed_so_that_any_of_them_are_a_fair_sample(tmp_path):
    for name in "abcd":
        write_pictures(tmp_path / name, 60, 0, "L")
    held = data.load(str(tmp_path)).hold_out(48)
    assert np.bincount(held.test.class_ids, minlength=4).min() >= 5


def test_a_broken_picture_to_measure_on_is_named_before_anything_runs(tmp_path):
    for part in ("train", "test"):
        write_pictures(tmp_path / part / "a", 2, 0, "L")
        write_pictures(tmp_path / part / "b", 2, 0, "L")
    (tmp_path / "test" / "b" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(DataUnusable, match=r"5 pictures .*0\.01 may be broken, which is 0; 1 are: .*broken\.jpg"):
        data.load(str(tmp_path))


def test_as_many_pictures_to_measure_on_as_are_tolerated_are_left_out_and_named(tmp_path, caplog):
    for part in ("train", "test"):
        write_pictures(tmp_path / part / "a", 3, 0, "L")
        write_pictures(tmp_path / part / "b", 3, 0, "L")
    (tmp_path / "test" / "a" / "1.png").write_bytes(b"")
    pictures = data.load(str(tmp_path), tolerated=0.2)
    assert pictures.test.class_ids.tolist() == [0, 0, 1, 1, 1]
    assert len(list(pictures.test.images)) == 5
    assert "a/1.png" in caplog.text
    assert "Skipped 1 of 6 pictures" in caplog.text


def test_a_folder_of_nothing_that_can_be_read_is_refused(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.jpg").write_text("This is a picture of a cat.")
    with pytest.raises(DataUnusable, match=r"that can be read; the first of them.*says: A picture is a JPEG"):
        data.load(str(tmp_path))


def test_training_canvases_are_the_middle_of_servings(tmp_path):
    columns = np.tile(np.arange(0, 120, 10, dtype=np.uint8), (8, 1))[..., None]  # 8 high, 12 wide
    canvases = lay_out([columns], Recipe(shorter_side=8, margin=1, input_side=8), 1)
    assert canvases.shape == (1, 10, 10, 1)
    assert canvases[0, 5, :, 0].tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert canvases[0, 0].max() == 0


def test_of_a_small_class_one_picture_is_held_out_and_one_is_not(tmp_path):
    for number in range(12):
        write_pictures(tmp_path / f"class {number}", 2, 0, "L")
    pictures = data.load(str(tmp_path))
    assert pictures.test.class_ids.tolist() == list(range(12))
    assert sorted(pictures.train.class_ids.tolist()) == list(range(12))
    assert data.load(str(tmp_path)).test.images.paths == pictures.test.images.paths


def test_a_class_never_goes_whole_to_the_held_out(tmp_path, monkeypatch):
    monkeypatch.setattr(image_folder, "_hash", lambda path: 10 * int(Path(path).stem))
    write_pictures(tmp_path / "a", 3, 0, "L")
    write_pictures(tmp_path / "b", 3, 0, "L")
    assert [Path(path).stem for path in data.load(str(tmp_path)).train.images.paths] == ["2", "2"]


def test_a_class_of_one_picture_cannot_be_split(tmp_path):
    write_pictures(tmp_path / "a", 5, 0, "L")
    write_pictures(tmp_path / "b", 1, 0, "L")
    with pytest.raises(DataUnusable, match=r"at least one of each; .*/b holds one in all\. Add pictures"):
        data.load(str(tmp_path))
