"""Where models are, where TensorFlow Serving's own settings say it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from serving.errors import ModelRejected
from serving.models.tf_serving_config import layout_of, read_config
from serving.settings import Settings


@contextmanager
def with_models(settings: Settings) -> Iterator[Settings]:
    """`settings` with the `models` that they mean, there until the block ends. Raises ModelRejected."""
    if settings.model_config_file and settings.model_base_path:
        raise ModelRejected("Models are those of model_config_file or of model_base_path; both came. Leave one out.")
    if settings.model_config_file:
        models = read_config(settings.model_config_file)
    elif settings.model_base_path:
        models = [ModelConfig(name=settings.model_name, base_path=str(settings.model_base_path))]
    else:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="tencrop-models-") as root:
        layout_of(models).write(Path(root))
        yield settings.model_copy(update={"models": Path(root)})
