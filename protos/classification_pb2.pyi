from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Views(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIEWS_UNSPECIFIED: _ClassVar[Views]
    VIEWS_SINGLE: _ClassVar[Views]
    VIEWS_MIRROR: _ClassVar[Views]
    VIEWS_FIVE: _ClassVar[Views]
    VIEWS_TEN: _ClassVar[Views]
    VIEWS_MULTI_SCALE: _ClassVar[Views]
    VIEWS_GRID: _ClassVar[Views]
    VIEWS_INCEPTION_144: _ClassVar[Views]
    VIEWS_DENSE: _ClassVar[Views]
    VIEWS_BOXES: _ClassVar[Views]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_INTERACTIVE: _ClassVar[Priority]
    PRIORITY_BULK: _ClassVar[Priority]

class Vote(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VOTE_UNSPECIFIED: _ClassVar[Vote]
    VOTE_MEAN_PROBABILITY: _ClassVar[Vote]
    VOTE_MEAN_LOGIT: _ClassVar[Vote]
    VOTE_MAJORITY: _ClassVar[Vote]
VIEWS_UNSPECIFIED: Views
VIEWS_SINGLE: Views
VIEWS_MIRROR: Views
VIEWS_FIVE: Views
VIEWS_TEN: Views
VIEWS_MULTI_SCALE: Views
VIEWS_GRID: Views
VIEWS_INCEPTION_144: Views
VIEWS_DENSE: Views
VIEWS_BOXES: Views
PRIORITY_UNSPECIFIED: Priority
PRIORITY_INTERACTIVE: Priority
PRIORITY_BULK: Priority
VOTE_UNSPECIFIED: Vote
VOTE_MEAN_PROBABILITY: Vote
VOTE_MEAN_LOGIT: Vote
VOTE_MAJORITY: Vote

class ModelSpec(_message.Message):
    __slots__ = ("name", "version", "version_label")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VERSION_LABEL_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    version_label: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., version_label: _Optional[str] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("top", "left", "bottom", "right")
    TOP_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    BOTTOM_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    top: float
    left: float
    bottom: float
    right: float
    def __init__(self, top: _Optional[float] = ..., left: _Optional[float] = ..., bottom: _Optional[float] = ..., right: _Optional[float] = ...) -> None: ...

class Tensor(_message.Message):
    __slots__ = ("data_type", "shape", "content")
    class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DATA_TYPE_UNSPECIFIED: _ClassVar[Tensor.DataType]
        DATA_TYPE_UINT8: _ClassVar[Tensor.DataType]
        DATA_TYPE_FLOAT32: _ClassVar[Tensor.DataType]
    DATA_TYPE_UNSPECIFIED: Tensor.DataType
    DATA_TYPE_UINT8: Tensor.DataType
    DATA_TYPE_FLOAT32: Tensor.DataType
    DATA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    data_type: Tensor.DataType
    shape: _containers.RepeatedScalarFieldContainer[int]
    content: bytes
    def __init__(self, data_type: _Optional[_Union[Tensor.DataType, str]] = ..., shape: _Optional[_Iterable[int]] = ..., content: _Optional[bytes] = ...) -> None: ...

class ClassifyRequest(_message.Message):
    __slots__ = ("model", "encoded", "tensor", "views", "vote", "top_k", "with_view_scores", "with_member_scores", "min_confidence", "boxes", "min_views", "priority", "adaptive", "routing_key")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    TENSOR_FIELD_NUMBER: _ClassVar[int]
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    WITH_VIEW_SCORES_FIELD_NUMBER: _ClassVar[int]
    WITH_MEMBER_SCORES_FIELD_NUMBER: _ClassVar[int]
    MIN_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    MIN_VIEWS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    ADAPTIVE_FIELD_NUMBER: _ClassVar[int]
    ROUTING_KEY_FIELD_NUMBER: _ClassVar[int]
    model: ModelSpec
    encoded: bytes
    tensor: Tensor
    views: Views
    vote: Vote
    top_k: int
    with_view_scores: bool
    with_member_scores: bool
    min_confidence: float
    boxes: _containers.RepeatedCompositeFieldContainer[Box]
    min_views: Views
    priority: Priority
    adaptive: bool
    routing_key: str
    def __init__(self, model: _Optional[_Union[ModelSpec, _Mapping]] = ..., encoded: _Optional[bytes] = ..., tensor: _Optional[_Union[Tensor, _Mapping]] = ..., views: _Optional[_Union[Views, str]] = ..., vote: _Optional[_Union[Vote, str]] = ..., top_k: _Optional[int] = ..., with_view_scores: _Optional[bool] = ..., with_member_scores: _Optional[bool] = ..., min_confidence: _Optional[float] = ..., boxes: _Optional[_Iterable[_Union[Box, _Mapping]]] = ..., min_views: _Optional[_Union[Views, str]] = ..., priority: _Optional[_Union[Priority, str]] = ..., adaptive: _Optional[bool] = ..., routing_key: _Optional[str] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("label", "class_id", "probability")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CLASS_ID_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    label: str
    class_id: int
    probability: float
    def __init__(self, label: _Optional[str] = ..., class_id: _Optional[int] = ..., probability: _Optional[float] = ...) -> None: ...

class ModelVersion(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class Scores(_message.Message):
    __slots__ = ("name", "probabilities")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    name: str
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, name: _Optional[str] = ..., probabilities: _Optional[_Iterable[float]] = ...) -> None: ...

class Timing(_message.Message):
    __slots__ = ("decode_seconds", "queue_seconds", "compute_seconds")
    DECODE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    COMPUTE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    decode_seconds: float
    queue_seconds: float
    compute_seconds: float
    def __init__(self, decode_seconds: _Optional[float] = ..., queue_seconds: _Optional[float] = ..., compute_seconds: _Optional[float] = ...) -> None: ...

class ClassifyResponse(_message.Message):
    __slots__ = ("predictions", "model_versions", "views", "vote", "timing", "view_scores", "member_scores", "label", "abstained", "view_agreement", "member_agreement", "views_used", "rows_used", "absent_members", "cached")
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    VIEWS_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    VIEW_SCORES_FIELD_NUMBER: _ClassVar[int]
    MEMBER_SCORES_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    ABSTAINED_FIELD_NUMBER: _ClassVar[int]
    VIEW_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    MEMBER_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    VIEWS_USED_FIELD_NUMBER: _ClassVar[int]
    ROWS_USED_FIELD_NUMBER: _ClassVar[int]
    ABSENT_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    predictions: _containers.RepeatedCompositeFieldContainer[Prediction]
    model_versions: _containers.RepeatedCompositeFieldContainer[ModelVersion]
    views: Views
    vote: Vote
    timing: Timing
    view_scores: _containers.RepeatedCompositeFieldContainer[Scores]
    member_scores: _containers.RepeatedCompositeFieldContainer[Scores]
    label: str
    abstained: str
    view_agreement: float
    member_agreement: float
    views_used: int
    rows_used: int
    absent_members: _containers.RepeatedCompositeFieldContainer[AbsentMember]
    cached: bool
    def __init__(self, predictions: _Optional[_Iterable[_Union[Prediction, _Mapping]]] = ..., model_versions: _Optional[_Iterable[_Union[ModelVersion, _Mapping]]] = ..., views: _Optional[_Union[Views, str]] = ..., vote: _Optional[_Union[Vote, str]] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ..., view_scores: _Optional[_Iterable[_Union[Scores, _Mapping]]] = ..., member_scores: _Optional[_Iterable[_Union[Scores, _Mapping]]] = ..., label: _Optional[str] = ..., abstained: _Optional[str] = ..., view_agreement: _Optional[float] = ..., member_agreement: _Optional[float] = ..., views_used: _Optional[int] = ..., rows_used: _Optional[int] = ..., absent_members: _Optional[_Iterable[_Union[AbsentMember, _Mapping]]] = ..., cached: _Optional[bool] = ...) -> None: ...

class AbsentMember(_message.Message):
    __slots__ = ("model_version", "reason")
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    model_version: ModelVersion
    reason: str
    def __init__(self, model_version: _Optional[_Union[ModelVersion, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class ClassifyStreamRequest(_message.Message):
    __slots__ = ("id", "request")
    ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    id: str
    request: ClassifyRequest
    def __init__(self, id: _Optional[str] = ..., request: _Optional[_Union[ClassifyRequest, _Mapping]] = ...) -> None: ...

class ClassifyStreamResponse(_message.Message):
    __slots__ = ("id", "response", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    response: ClassifyResponse
    error: _status_pb2.Status
    def __init__(self, id: _Optional[str] = ..., response: _Optional[_Union[ClassifyResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "versions", "version_labels", "members", "labels", "vote", "version_statuses", "canary", "shadow", "label_troubles")
    class VersionLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class LabelTroublesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    VERSION_LABELS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    VERSION_STATUSES_FIELD_NUMBER: _ClassVar[int]
    CANARY_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    LABEL_TROUBLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    versions: _containers.RepeatedScalarFieldContainer[int]
    version_labels: _containers.ScalarMap[str, int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    labels: _containers.RepeatedScalarFieldContainer[str]
    vote: Vote
    version_statuses: _containers.RepeatedCompositeFieldContainer[VersionStatus]
    canary: Canary
    shadow: Shadow
    label_troubles: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., versions: _Optional[_Iterable[int]] = ..., version_labels: _Optional[_Mapping[str, int]] = ..., members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., labels: _Optional[_Iterable[str]] = ..., vote: _Optional[_Union[Vote, str]] = ..., version_statuses: _Optional[_Iterable[_Union[VersionStatus, _Mapping]]] = ..., canary: _Optional[_Union[Canary, _Mapping]] = ..., shadow: _Optional[_Union[Shadow, _Mapping]] = ..., label_troubles: _Optional[_Mapping[str, str]] = ...) -> None: ...

class VersionStatus(_message.Message):
    __slots__ = ("version", "state", "error")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[VersionStatus.State]
        STATE_START: _ClassVar[VersionStatus.State]
        STATE_LOADING: _ClassVar[VersionStatus.State]
        STATE_AVAILABLE: _ClassVar[VersionStatus.State]
        STATE_UNLOADING: _ClassVar[VersionStatus.State]
        STATE_END: _ClassVar[VersionStatus.State]
    STATE_UNSPECIFIED: VersionStatus.State
    STATE_START: VersionStatus.State
    STATE_LOADING: VersionStatus.State
    STATE_AVAILABLE: VersionStatus.State
    STATE_UNLOADING: VersionStatus.State
    STATE_END: VersionStatus.State
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    version: int
    state: VersionStatus.State
    error: str
    def __init__(self, version: _Optional[int] = ..., state: _Optional[_Union[VersionStatus.State, str]] = ..., error: _Optional[str] = ...) -> None: ...

class Canary(_message.Message):
    __slots__ = ("version", "stable_version", "percent", "calls", "failed", "stable_calls", "stable_failed", "pairs", "disagreed", "rolled_back")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STABLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    STABLE_CALLS_FIELD_NUMBER: _ClassVar[int]
    STABLE_FAILED_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    DISAGREED_FIELD_NUMBER: _ClassVar[int]
    ROLLED_BACK_FIELD_NUMBER: _ClassVar[int]
    version: int
    stable_version: int
    percent: float
    calls: int
    failed: int
    stable_calls: int
    stable_failed: int
    pairs: int
    disagreed: int
    rolled_back: str
    def __init__(self, version: _Optional[int] = ..., stable_version: _Optional[int] = ..., percent: _Optional[float] = ..., calls: _Optional[int] = ..., failed: _Optional[int] = ..., stable_calls: _Optional[int] = ..., stable_failed: _Optional[int] = ..., pairs: _Optional[int] = ..., disagreed: _Optional[int] = ..., rolled_back: _Optional[str] = ...) -> None: ...

class Shadow(_message.Message):
    __slots__ = ("version", "stable_version", "percent", "pairs", "disagreed")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STABLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    DISAGREED_FIELD_NUMBER: _ClassVar[int]
    version: int
    stable_version: int
    percent: float
    pairs: int
    disagreed: int
    def __init__(self, version: _Optional[int] = ..., stable_version: _Optional[int] = ..., percent: _Optional[float] = ..., pairs: _Optional[int] = ..., disagreed: _Optional[int] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("model_version", "weight")
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    model_version: ModelVersion
    weight: float
    def __init__(self, model_version: _Optional[_Union[ModelVersion, _Mapping]] = ..., weight: _Optional[float] = ...) -> None: ...
