"""TensorFlow Serving's configuration is replaced whole, or stays as it was."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from protos.classification_pb2 import ModelSpec
from serving.errors import ModelRejected
from serving.models.lifecycle.configuration import Configuration
from serving.models.lifecycle.manager import Manager
from serving.models.tf_serving_config import Layout, layout_of, models_of
from tests.serving.loops import on_a_loop
from tests.serving.models.disk import Disk


class Scene:
    """Base paths that a configuration may name, and the directory that is laid out of them."""

    def __init__(self, here) -> None:
        self.bases, self.disk = Disk(here / "bases"), Disk(here / "root")
        self.bases.add("shades", 1, 2)
        self.bases.add("tones", 1)
        self.disk.root.mkdir()

    def config(self, *models: str) -> ModelServerConfig:
        """Of these models, each at the base path of its name unless it says another."""
        listed = " ".join(f"config {{ {each.replace('HERE', str(self.bases.root))} }}" for each in models)
        return text_format.Parse(f"model_config_list {{ {listed} }}", ModelServerConfig())

    @asynccontextmanager
    async def served(self, *models: str, replaceable: bool = True):
        """The configuration of a server of these models."""
        layout_of(models_of(self.config(*models), "the test")).write(self.disk.root)
        manager = Manager(self.disk.root, self.disk.load_version, self.disk.metrics, settle_seconds=0)
        try:
            self.repository = await manager.start()
            yield Configuration(manager, replaceable)
        finally:
            await manager.close()

    def versions(self) -> dict[str, list[int]]:
        return {name: sorted(model.servables) for name, model in self.repository.models.items()}


SHADES = "name: 'shades' base_path: 'HERE/shades'"
TONES = "name: 'tones' base_path: 'HERE/tones'"


@pytest.fixture
def scene(tmp_path):
    return Scene(tmp_path)


@on_a_loop
async def test_the_models_of_a_configuration_take_the_place_of_all_that_were_there(scene):
    async with scene.served(SHADES) as configuration:
        await configuration.reload(scene.config(TONES, "name: 'others' base_path: 'HERE/shades'"))
        assert scene.versions() == {"tones": [1], "others": [2]}


@on_a_loop
async def test_policies_and_labels_follow_and_what_is_the_same_is_not_loaded_again(scene):
    async with scene.served(SHADES) as configuration:
        both = "model_version_policy { all {} } version_labels { key: 'stable' value: 1 }"
        await configuration.reload(scene.config(f"{SHADES} {both}"))
        assert scene.versions() == {"shades": [1, 2]}
        stable = scene.repository.find(ModelSpec(name="shades", version_label="stable"))
        assert stable.members[0].servable.version == 1
        assert sorted(scene.disk.loaded) == [("shades", 1), ("shades", 2)]


@on_a_loop
async def test_a_base_path_that_moves_is_followed(scene):
    async with scene.served(SHADES) as configuration:
        await configuration.reload(scene.config("name: 'shades' base_path: 'HERE/tones'"))
        assert scene.versions() == {"shades": [1]}


@on_a_loop
async def test_the_looks_that_follow_change_nothing_of_it(scene):
    async with scene.served(SHADES) as configuration:
        await configuration.reload(scene.config(TONES))
        await configuration._manager.look()
        assert scene.versions() == {"tones": [1]}


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (TONES, "'tones' has no version that is ready: tones 1 is broken"),
        ("name: 'empty' base_path: 'HERE'", "'empty' has no version that is ready: no version lies there"),
        (f"{SHADES} version_labels {{ key: 'next' value: 7 }}", r"the labels \['next'\] of 'shades' are elsewhere"),
    ],
)
@on_a_loop
async def test_where_a_model_cannot_be_served_all_stays_as_it_was_and_the_reason_is_told(scene, model, reason):
    scene.disk.broken.add(("tones", 1))
    async with scene.served(SHADES) as configuration:
        with pytest.raises(ModelRejected, match=f"all is as it was.*{reason}"):
            await configuration.reload(scene.config(model))
        assert scene.versions() == {"shades": [2]}
        assert {path.name for path in scene.disk.root.iterdir()} == {"shades", "models.yaml"}


@pytest.mark.parametrize("models", [(), ("name: 'shades' base_path: 'HERE/nowhere'",)])
@on_a_loop
async def test_a_configuration_that_makes_no_sense_changes_nothing(scene, models):
    async with scene.served(SHADES) as configuration:
        with pytest.raises(ModelRejected):
            await configuration.reload(scene.config(*models))
        assert scene.versions() == {"shades": [2]}


@on_a_loop
async def test_a_directory_that_no_configuration_made_is_left_alone(scene):
    async with scene.served(SHADES, replaceable=False) as configuration:
        with pytest.raises(ModelRejected, match="Start with one of these"):
            await configuration.reload(scene.config(TONES))
        assert scene.versions() == {"shades": [2]}


@on_a_loop
async def test_where_the_directory_cannot_be_written_any_more_all_stays_as_it_was(scene, monkeypatch):
    async with scene.served(SHADES) as configuration:
        write, failures = Layout.write, [OSError("no space left")]

        def fails_once(layout, root):
            if set(layout.places) == {"tones"} and failures:
                raise failures.pop()
            write(layout, root)

        monkeypatch.setattr(Layout, "write", fails_once)
        with pytest.raises(OSError, match="no space left"):
            await configuration.reload(scene.config(TONES))
        assert scene.versions() == {"shades": [2]}


@on_a_loop
async def test_a_configuration_whose_caller_has_gone_is_replaced_whole(scene):
    async with scene.served(SHADES) as configuration:
        reload = asyncio.ensure_future(configuration.reload(scene.config(TONES)))
        for _ in range(3):
            await asyncio.sleep(0)
        reload.cancel()
        await asyncio.wait({reload})
        assert reload.cancelled()
        assert scene.versions() == {"tones": [1]}
