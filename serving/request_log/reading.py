"""The calls in a request log, whether a server still writes to it or not."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from google.protobuf.message import DecodeError

from protos import classification_pb2 as pb
from protos.request_log_pb2 import RecordedCall
from serving.errors import InvalidRequest
from serving.request_log.names import PART, all_files
from serving.tfrecords import records_in


def recorded_in(directory: Path) -> Iterator[RecordedCall]:
    """The calls in a request log, oldest file first. Raises OSError, and InvalidRequest where it is none."""
    files = all_files(directory)
    if not files:
        raise InvalidRequest(
            f"A request log holds files requests-*.tfrecord; {directory} has none. Serve with --request-log, and have "
            "the server asked something."
        )
    for path in files:
        yield from calls_in(path)


def calls_in(path: Path) -> Iterator[RecordedCall]:
    """Those of one file of a log; of one that is not complete, as many as are whole. None where the server has removed
    it since, for lack of room. Raises OSError, and InvalidRequest where the file is damaged.
    """
    try:
        yield from map(RecordedCall.FromString, _records_in(path))
    except (ValueError, DecodeError) as error:
        raise InvalidRequest(
            f"A request log holds messages RecordedCall; {path} does not: {error} Take the file away."
        ) from None


def _records_in(path: Path) -> Iterator[bytes]:
    if path.name.endswith(PART):
        try:
            with suppress(ValueError):  # its last record, on its way
                yield from records_in(path)
            return
        except FileNotFoundError:  # it was completed
            path = path.with_name(path.name.removesuffix(PART))
    with suppress(FileNotFoundError):
        yield from records_in(path)


def asked_again(call: RecordedCall, model: str, version: int | None) -> pb.ClassifyRequest:
    """The request of `call`; of `model` and `version` where these are given."""
    request = pb.ClassifyRequest()
    request.CopyFrom(call.request)
    if model:
        request.model.name = model
    if version:
        request.model.version = version
    return request
