"""Labels go where files, models.yaml and administrators say, in this order of who is overruled, or stay and say why."""

import pytest

from serving.errors import InvalidRequest
from tests.serving.loops import on_a_loop
from tests.serving.models.disk import Disk
from tests.serving.models.lifecycle.test_administrator import administered, answers
from tests.serving.models.lifecycle.test_manager import catch_up


@pytest.fixture
def disk(tmp_path):
    """Shades 1, 2 and 3, of which the newest is served."""
    disk = Disk(tmp_path)
    disk.add("shades", 1, 2, 3)
    return disk


def label(disk, content, name="production") -> None:
    """Writes a file that gives a label."""
    (disk.root / "shades" / "labels").mkdir(exist_ok=True)
    (disk.root / "shades" / "labels" / name).write_text(content)


def troubles(administrator) -> dict[str, str]:
    return dict(administrator._manager.repository.label_troubles("shades"))


@on_a_loop
async def test_a_file_gives_a_label_to_a_version_which_is_loaded_for_it(disk):
    label(disk, "1")
    async with administered(disk) as administrator:
        assert answers(administrator, "production") == 1
        label(disk, "2")
        await catch_up(administrator._manager)
        assert (answers(administrator, "production"), troubles(administrator)) == (2, {})
        (disk.root / "shades" / "labels" / "production").unlink()
        await catch_up(administrator._manager)
        assert administrator._manager.labels("shades") == {}


@on_a_loop
async def test_an_administrators_order_goes_before_a_file_and_a_file_before_models_yaml(disk):
    disk.declare("labels: {shades: {production: 1}}")
    async with administered(disk) as administrator:
        assert answers(administrator, "production") == 1
        label(disk, "2")
        await catch_up(administrator._manager)
        assert answers(administrator, "production") == 2
        await administrator.promote("shades", 3)
        assert answers(administrator, "production") == 3
        assert "goes before it until that is taken back" in troubles(administrator)["production"]
        await administrator.remove_label("shades", "production")
        assert (answers(administrator, "production"), troubles(administrator)) == (2, {})


@pytest.mark.parametrize("content", ["", "two", "7", "9" * 5000])
@pytest.mark.parametrize("availability", ["preserving", "resource_preserving"])
@on_a_loop
async def test_a_file_that_cannot_be_followed_leaves_the_label_where_it_was_and_is_told_once(
    disk, caplog, content, availability
):
    disk.declare(f"models: {{shades: {{availability: {availability}}}}}")
    label(disk, "1")
    async with administered(disk) as administrator:
        label(disk, content)
        for _ in range(3):
            await catch_up(administrator._manager)
        assert answers(administrator, "production") == 1
        assert list(troubles(administrator)) == ["production"]
        told = [line for line in caplog.messages if line.startswith("shades label production")]
        assert told == [f"shades label production is not where it is wanted: {troubles(administrator)['production']}"]
        label(disk, "2")
        await catch_up(administrator._manager)
        assert (answers(administrator, "production"), troubles(administrator)) == (2, {})


@on_a_loop
async def test_a_file_that_names_a_version_which_does_not_load_leaves_the_label_and_is_not_tried_in_a_loop(disk):
    label(disk, "1")
    disk.broken.add(("shades", 2))
    async with administered(disk) as administrator:
        label(disk, "2")
        for _ in range(3):
            await catch_up(administrator._manager)
        assert answers(administrator, "production") == 1
        assert troubles(administrator) == {"production": "version 2: shades 2 is broken"}
        assert disk.loaded.count(("shades", 2)) == 1
        disk.repair("shades", 2)
        await catch_up(administrator._manager)
        assert (answers(administrator, "production"), troubles(administrator)) == (2, {})


@on_a_loop
async def test_a_version_that_an_administrator_has_unloaded_does_not_come_back_by_a_file(disk):
    async with administered(disk) as administrator:
        await administrator.unload("shades", 2)
        label(disk, "2")
        await catch_up(administrator._manager)
        assert troubles(administrator) == {"production": "an administrator has unloaded version 2"}


@on_a_loop
async def test_a_label_of_models_yaml_whose_version_is_not_there_is_told_of_too(disk):
    disk.declare("labels: {shades: {production: 9}}")
    async with administered(disk) as administrator:
        assert troubles(administrator) == {"production": "version 9 does not lie there"}


@on_a_loop
async def test_a_version_that_a_files_label_is_at_is_not_unloaded_by_order(disk):
    label(disk, "1")
    async with administered(disk) as administrator:
        with pytest.raises(InvalidRequest, match="label production"):
            await administrator.unload("shades", 1)
