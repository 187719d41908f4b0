"""Models as TensorFlow Serving's own settings name them."""

import pytest

from serving.configured import with_models
from serving.errors import ModelRejected
from serving.metrics import Metrics
from serving.settings import Settings
from serving.supply import manager_of
from tests.serving.loops import on_a_loop

SMALL = {"engine": "tensorflow", "max_batch_size": 1}


@pytest.mark.parametrize("how", ["model_base_path", "model_config_file"])
def test_a_model_is_served_under_the_name_that_is_configured(models_root, tmp_path, how):
    path = models_root / "greys"
    if how == "model_config_file":
        path = tmp_path / "models.config"
        path.write_text(f"model_config_list {{ config {{ name: 'greys' base_path: '{models_root / 'greys'}' }} }}")
    name = {"model_base_path": "default", "model_config_file": "greys"}[how]

    @on_a_loop
    async def served():
        with with_models(Settings(**{how: path}, **SMALL)) as settings:
            repository = await manager_of(settings, Metrics()).start()
            for servable in repository.servables:
                await servable.close()
        assert repository.names == [name]
        assert not settings.models.exists()

    served()


def test_without_them_models_are_where_they_were_said_to_be(tmp_path):
    with with_models(Settings(models=tmp_path)) as settings:
        assert settings.models == tmp_path
    assert tmp_path.exists()


def test_two_places_are_refused(tmp_path):
    with (
        pytest.raises(ModelRejected, match="both"),
        with_models(Settings(model_base_path=tmp_path, model_config_file=tmp_path / "models.config")),
    ):
        pass
