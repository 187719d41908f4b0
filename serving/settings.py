"""Every setting of the server: its name, default, bounds and meaning, once.

Each can be given as an option of `tencrop serve` (--grpc-port) or in the environment (TENCROP_GRPC_PORT).
"""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.cores import cores
from serving.models.engines.names import EngineName, PrecisionName
from serving.models.stores.address import place


class Settings(BaseSettings):
    """What `tencrop serve` can be told. Raises pydantic.ValidationError where a value is out of bounds."""

    model_config = SettingsConfigDict(env_prefix="TENCROP_", frozen=True)

    models: Annotated[Path | str, BeforeValidator(place)] = Field(
        Path("models"),
        description="Directory with models as NAME/VERSION/ and, maybe, models.yaml; or a store's URL, s3://bucket/prefix.",
    )
    model_config_file: Path | None = Field(
        None, description="TensorFlow Serving's file of models, a ModelServerConfig in text format; instead of models."
    )
    model_base_path: Path | None = Field(
        None, description="Directory with the versions of one model, as TensorFlow Serving has it; instead of models."
    )
    model_name: str = Field("default", description="Name of the model in model_base_path.")
    cache_directory: Path = Field(
        Path("~/.cache/tencrop"), description="Directory that a store's models are mirrored into."
    )
    store_poll_seconds: PositiveFloat = Field(30.0, description="A store is looked at so often, in seconds.")
    settle_seconds: NonNegativeFloat = Field(
        10.0, description="A version without a card is whole once its files have been the same for so many seconds."
    )
    host: str = Field("127.0.0.1", description="Address to listen on. 0.0.0.0 lets other machines in.")
    grpc_port: int = Field(8500, ge=0, le=65535, description="Port of the gRPC service; 0 takes a free one.")
    http_port: int = Field(
        8501, ge=0, le=65535, description="Port of /metrics, /healthz and /readyz; 0 takes a free one."
    )
    max_batch_size: PositiveInt = Field(64, description="Rows that run together at most. One view is one row.")
    max_queue_rows: int = Field(
        1024, ge=10, description="Rows that may wait for one model; more are refused with RESOURCE_EXHAUSTED."
    )
    max_picture_bytes: PositiveInt = Field(16 * 2**20, description="Largest picture file, in bytes.")
    max_picture_pixels: PositiveInt = Field(2**25, description="Largest picture, in pixels; checked before decoding.")
    engine_threads: PositiveInt = Field(
        default_factory=cores,
        description="Threads that one operation of a network may use. 1 is best for networks as small as LeNet-5.",
    )
    engine: EngineName = Field(
        "auto", description="What runs networks: tensorflow, openvino, or auto, of those installed the fastest."
    )
    precision: PrecisionName = Field(
        "published",
        description="What networks compute in: float32, bfloat16, int8, or published, what a version was measured in.",
    )
    allow_unsafe_models: bool = Field(
        False, description="Serve models whose graphs may do more than compute: read and write files, run Python."
    )
    decoding_threads: PositiveInt = Field(default_factory=cores, description="Threads that decode pictures.")
    max_decoding_pixels: PositiveInt = Field(
        2**31,
        description="Pixels of large pictures that are decoded or wait for it; more are refused with "
        "RESOURCE_EXHAUSTED.",
    )
    max_bytes_in_flight: PositiveInt = Field(
        2**30,
        description="Bytes of requests and their rows, from arrival to answer; more are refused with "
        "RESOURCE_EXHAUSTED.",
    )
    cache_bytes: NonNegativeInt = Field(
        0, description="Memory for answers that were given before, in bytes; 0 keeps none."
    )
    stream_window: PositiveInt = Field(64, description="Pictures of one ClassifyStream that are worked on at a time.")
    drain_seconds: NonNegativeFloat = Field(
        30.0, description="After SIGTERM, calls in flight have this long to finish before they are cut off."
    )
