import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from protos import classification_pb2 as _classification_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelCard(_message.Message):
    __slots__ = ("name", "input", "labels", "geometry", "temperature", "vote", "measurements", "golden_inputs", "files", "provenance", "quantization", "adaptive_votes", "dense")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    GEOMETRY_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_INPUTS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    QUANTIZATION_FIELD_NUMBER: _ClassVar[int]
    ADAPTIVE_VOTES_FIELD_NUMBER: _ClassVar[int]
    DENSE_FIELD_NUMBER: _ClassVar[int]
    name: str
    input: Input
    labels: _containers.RepeatedScalarFieldContainer[str]
    geometry: Geometry
    temperature: float
    vote: _classification_pb2.Vote
    measurements: _containers.RepeatedCompositeFieldContainer[Measurement]
    golden_inputs: _containers.RepeatedCompositeFieldContainer[GoldenInput]
    files: _containers.RepeatedCompositeFieldContainer[File]
    provenance: Provenance
    quantization: Quantization
    adaptive_votes: _containers.RepeatedCompositeFieldContainer[AdaptiveVote]
    dense: bool
    def __init__(self, name: _Optional[str] = ..., input: _Optional[_Union[Input, _Mapping]] = ..., labels: _Optional[_Iterable[str]] = ..., geometry: _Optional[_Union[Geometry, _Mapping]] = ..., temperature: _Optional[float] = ..., vote: _Optional[_Union[_classification_pb2.Vote, str]] = ..., measurements: _Optional[_Iterable[_Union[Measurement, _Mapping]]] = ..., golden_inputs: _Optional[_Iterable[_Union[GoldenInput, _Mapping]]] = ..., files: _Optional[_Iterable[_Union[File, _Mapping]]] = ..., provenance: _Optional[_Union[Provenance, _Mapping]] = ..., quantization: _Optional[_Union[Quantization, _Mapping]] = ..., adaptive_votes: _Optional[_Iterable[_Union[AdaptiveVote, _Mapping]]] = ..., dense: _Optional[bool] = ...) -> None: ...

class EnsembleCard(_message.Message):
    __slots__ = ("name", "members", "adaptive_votes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    ADAPTIVE_VOTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    members: _containers.RepeatedCompositeFieldContainer[_classification_pb2.Member]
    adaptive_votes: _containers.RepeatedCompositeFieldContainer[AdaptiveVote]
    def __init__(self, name: _Optional[str] = ..., members: _Optional[_Iterable[_Union[_classification_pb2.Member, _Mapping]]] = ..., adaptive_votes: _Optional[_Iterable[_Union[AdaptiveVote, _Mapping]]] = ...) -> None: ...

class Input(_message.Message):
    __slots__ = ("height", "width", "channels")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    height: int
    width: int
    channels: int
    def __init__(self, height: _Optional[int] = ..., width: _Optional[int] = ..., channels: _Optional[int] = ...) -> None: ...

class Geometry(_message.Message):
    __slots__ = ("shorter_side", "margin")
    SHORTER_SIDE_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    shorter_side: int
    margin: int
    def __init__(self, shorter_side: _Optional[int] = ..., margin: _Optional[int] = ...) -> None: ...

class Measurement(_message.Message):
    __slots__ = ("data_set", "pictures", "views", "vote", "top_1_error", "top_5_error")
    DATA_SET_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    TOP_1_ERROR_FIELD_NUMBER: _ClassVar[int]
    TOP_5_ERROR_FIELD_NUMBER: _ClassVar[int]
    data_set: str
    pictures: int
    views: _classification_pb2.Views
    vote: _classification_pb2.Vote
    top_1_error: float
    top_5_error: float
    def __init__(self, data_set: _Optional[str] = ..., pictures: _Optional[int] = ..., views: _Optional[_Union[_classification_pb2.Views, str]] = ..., vote: _Optional[_Union[_classification_pb2.Vote, str]] = ..., top_1_error: _Optional[float] = ..., top_5_error: _Optional[float] = ...) -> None: ...

class AdaptiveVote(_message.Message):
    __slots__ = ("views", "vote", "member_order", "view_order", "rounds", "agreement", "confidence", "data_set", "pictures", "agreed", "rows")
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ORDER_FIELD_NUMBER: _ClassVar[int]
    VIEW_ORDER_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    DATA_SET_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    AGREED_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    views: _classification_pb2.Views
    vote: _classification_pb2.Vote
    member_order: _containers.RepeatedScalarFieldContainer[int]
    view_order: _containers.RepeatedScalarFieldContainer[int]
    rounds: _containers.RepeatedCompositeFieldContainer[VoteRound]
    agreement: float
    confidence: float
    data_set: str
    pictures: int
    agreed: float
    rows: float
    def __init__(self, views: _Optional[_Union[_classification_pb2.Views, str]] = ..., vote: _Optional[_Union[_classification_pb2.Vote, str]] = ..., member_order: _Optional[_Iterable[int]] = ..., view_order: _Optional[_Iterable[int]] = ..., rounds: _Optional[_Iterable[_Union[VoteRound, _Mapping]]] = ..., agreement: _Optional[float] = ..., confidence: _Optional[float] = ..., data_set: _Optional[str] = ..., pictures: _Optional[int] = ..., agreed: _Optional[float] = ..., rows: _Optional[float] = ...) -> None: ...

class VoteRound(_message.Message):
    __slots__ = ("members", "views", "margin")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    members: int
    views: int
    margin: float
    def __init__(self, members: _Optional[int] = ..., views: _Optional[int] = ..., margin: _Optional[float] = ...) -> None: ...

class GoldenInput(_message.Message):
    __slots__ = ("png", "probabilities")
    PNG_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    png: bytes
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, png: _Optional[bytes] = ..., probabilities: _Optional[_Iterable[float]] = ...) -> None: ...

class File(_message.Message):
    __slots__ = ("path", "bytes", "sha256")
    PATH_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    path: str
    bytes: int
    sha256: str
    def __init__(self, path: _Optional[str] = ..., bytes: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class Provenance(_message.Message):
    __slots__ = ("published", "architecture", "data_set", "recipe", "seed", "trainable_parameters", "training_seconds", "training_cpu_seconds", "device", "versions", "git_revision")
    class VersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    DATA_SET_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TRAINABLE_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TRAINING_CPU_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    GIT_REVISION_FIELD_NUMBER: _ClassVar[int]
    published: _timestamp_pb2.Timestamp
    architecture: str
    data_set: str
    recipe: _struct_pb2.Struct
    seed: int
    trainable_parameters: int
    training_seconds: float
    training_cpu_seconds: float
    device: str
    versions: _containers.ScalarMap[str, str]
    git_revision: str
    def __init__(self, published: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., architecture: _Optional[str] = ..., data_set: _Optional[str] = ..., recipe: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., seed: _Optional[int] = ..., trainable_parameters: _Optional[int] = ..., training_seconds: _Optional[float] = ..., training_cpu_seconds: _Optional[float] = ..., device: _Optional[str] = ..., versions: _Optional[_Mapping[str, str]] = ..., git_revision: _Optional[str] = ...) -> None: ...

class Quantization(_message.Message):
    __slots__ = ("network", "data_set", "pictures", "of_version")
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    DATA_SET_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    OF_VERSION_FIELD_NUMBER: _ClassVar[int]
    network: str
    data_set: str
    pictures: int
    of_version: int
    def __init__(self, network: _Optional[str] = ..., data_set: _Optional[str] = ..., pictures: _Optional[int] = ..., of_version: _Optional[int] = ...) -> None: ...
