"""Every setting of the server: its name, default, bounds and meaning, once.

Each can be given as an option of `tencrop serve` (--grpc-port) or in the environment (TENCROP_GRPC_PORT).
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.cores import cores
from serving.logs import LogFormat
from serving.models.engines.names import EngineName, PrecisionName
from serving.models.stores.address import place
from serving.request_log.pictures import Pictures


class Settings(BaseSettings):
    """What `tencrop serve` can be told. Raises pydantic.ValidationError where a value is out of bounds."""

    model_config = SettingsConfigDict(env_prefix="TENCROP_", frozen=True)

    models: Annotated[Path | str, BeforeValidator(place)] = Field(
        Path("models"),
        description="Directory with models as NAME/VERSION/ and, maybe, models.yaml; or a store's URL, s3:// or gs://bucket/prefix.",
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
    store_poll_seconds: NonNegativeFloat = Field(
        30.0, description="A store is looked at so often, in seconds; 0 only when `tencrop models refresh` says so."
    )
    settle_seconds: NonNegativeFloat = Field(
        10.0, description="A version without a card is whole once its files have been the same for so many seconds."
    )
    host: str = Field("127.0.0.1", description="Address to listen on. 0.0.0.0 lets other machines in.")
    grpc_port: int = Field(8500, ge=0, le=65535, description="Port of the gRPC service; 0 takes a free one.")
    http_port: int = Field(
        8501, ge=0, le=65535, description="Port of HTTP, /metrics and /docs among it; 0 takes a free one."
    )
    poll_seconds: NonNegativeFloat = Field(
        1.0, description="The directory is looked into for new versions so often; 0 serves what is there at the start."
    )
    max_model_bytes: NonNegativeInt = Field(
        0, description="Files of all versions that are loaded at a time, in bytes; more are refused. 0 is no bound."
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
        description="Bytes of requests, their rows and their tensors, from arrival to answer; more are refused with "
        "RESOURCE_EXHAUSTED.",
    )
    cache_bytes: NonNegativeInt = Field(
        0, description="Memory for answers that were given before, in bytes; 0 keeps none."
    )
    request_log: Path | None = Field(
        None,
        description="Directory for a sample of calls, as TFRecords that `tencrop replay` sends again; "
        "servers may share it.",
    )
    request_log_percent: float = Field(1.0, ge=0, le=100, description="Of the calls, so many are kept.")
    request_log_pictures: Pictures = Field(
        "hash", description="What is kept of their pictures: a hash, or their bytes, which a replay needs."
    )
    request_log_max_bytes: PositiveInt = Field(
        2**30, description="Bytes that the calls which this server keeps take; the oldest go for the newest."
    )
    warm_up_log: Path | None = Field(
        None, description="Directory of a request log; versions are asked what it holds before they answer callers."
    )
    stream_window: PositiveInt = Field(64, description="Pictures of one ClassifyStream that are worked on at a time.")
    drain_seconds: NonNegativeFloat = Field(
        30.0, description="After SIGTERM, calls in flight have this long to finish before they are cut off."
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file with the certificate chain of both ports; read again when it is renewed."
    )
    tls_key: Path | None = Field(None, description="PEM file with the certificate's private key.")
    tls_client_ca: Path | None = Field(
        None, description="PEM file with authorities; only callers with a certificate of theirs are answered."
    )
    tokens_file: Path | None = Field(
        None, description="YAML file that lists who may ask what, and how often; read again when it changes."
    )
    admin_host: str = Field(
        "127.0.0.1", description="Address for admin calls. Any other than loopback asks for admin_token_file."
    )
    admin_port: int = Field(8502, ge=0, le=65535, description="Port of admin calls, over gRPC; 0 takes a free one.")
    admin_token_file: Path | None = Field(None, description="File that holds the token of admin calls.")
    max_calls: PositiveInt = Field(2048, description="Calls that are answered at a time, health aside.")
    max_connections: PositiveInt = Field(1024, description="Connections that each port holds open.")
    max_streams_per_connection: PositiveInt = Field(1024, description="Calls on one gRPC connection at a time.")
    max_header_bytes: int = Field(16 * 2**10, ge=2**10, description="Headers, or gRPC metadata, of one request.")
    idle_seconds: PositiveFloat = Field(
        300.0,
        description="Calls whose caller takes longer to send or to read a message are ended, and so are gRPC "
        "connections without calls.",
    )
    max_connection_age_seconds: NonNegativeFloat = Field(
        0.0,
        description="gRPC connections end after this long, calls in flight aside, so that a balancer "
        "sees new ones; 0 for never.",
    )
    log_format: LogFormat = Field("text", description="How the log looks: text, or json.")

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Settings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key come together; one came alone")
        if self.tls_client_ca and not self.tls_certificate:
            raise ValueError("tls_client_ca asks for tls_certificate and tls_key; neither came")
        return self

    @model_validator(mode="after")
    def _admin_calls_are_locked(self) -> "Settings":
        if not (is_loopback(self.admin_host) or self.admin_token_file):
            raise ValueError(
                f"admin calls from other machines ask for admin_token_file; admin_host {self.admin_host!r} came without"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`. A name that is not localhost may lead anywhere."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
