from google.rpc import status_pb2 as _status_pb2
from protos import classification_pb2 as _classification_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordedCall(_message.Message):
    __slots__ = ("ended_unix_nanos", "method", "request", "picture_hash", "response", "error", "seconds", "request_id")
    ENDED_UNIX_NANOS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    PICTURE_HASH_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ended_unix_nanos: int
    method: str
    request: _classification_pb2.ClassifyRequest
    picture_hash: bytes
    response: _classification_pb2.ClassifyResponse
    error: _status_pb2.Status
    seconds: float
    request_id: str
    def __init__(self, ended_unix_nanos: _Optional[int] = ..., method: _Optional[str] = ..., request: _Optional[_Union[_classification_pb2.ClassifyRequest, _Mapping]] = ..., picture_hash: _Optional[bytes] = ..., response: _Optional[_Union[_classification_pb2.ClassifyResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., seconds: _Optional[float] = ..., request_id: _Optional[str] = ...) -> None: ...
