"""Keeping a sample of calls: one thread writes, and no call waits for it."""

import asyncio
import hashlib
import logging
import queue
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import grpc
from google.rpc.status_pb2 import Status

from protos import classification_pb2 as pb
from protos.request_log_pb2 import RecordedCall
from serving.doors.messages import to_response
from serving.doors.statuses import code_of
from serving.pipeline.answer import Answer
from serving.request_ids import method, request_id
from serving.request_log.files import RecordFiles
from serving.request_log.pictures import Pictures

log = logging.getLogger(__name__)

_WAITING_BYTES = 2**26
"""Of requests that wait to be written; one larger than what is left is dropped."""
_WAITING_CALLS = 1000
_LAST_WRITES_SECONDS = 5.0


class Observer(Protocol):
    """Counts records."""

    def recorded(self, outcome: str) -> None:
        """One was "written", or was not: "dropped" since many waited, or "failed". From any thread."""


class _Call(NamedTuple):
    ended: int
    method: str
    request: pb.ClassifyRequest
    outcome: pb.ClassifyResponse | Status
    seconds: float
    request_id: str
    size: int


class Recorder:
    """Writes calls to TFRecord files of protos/request_log.proto, from `__init__` until `close`; a pipeline's
    recording.Recorder. What servers that were killed have left in the directory is completed first.
    """

    def __init__(
        self,
        directory: Path,
        percent: float,
        pictures: Pictures,
        max_bytes: int,
        observer: Observer,
        dice: Callable[[], float] = random.random,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """`percent` of the calls are kept, from 0 to 100, in at most `max_bytes`. `dice` gives numbers from 0 to below
        1, `clock` nanoseconds since 1970.
        """
        self._percent = percent
        self._with_bytes = pictures == "bytes"
        self._observer = observer
        self._dice = dice
        self._clock = clock
        self._files = RecordFiles(directory, max_bytes, clock)
        self._waiting: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._waiting_bytes = self._waiting_calls = 0
        self._counting = threading.Lock()
        self._ails = False
        self._thread = threading.Thread(target=self._write_all, name="request log", daemon=True)
        self._thread.start()

    def answered(self, request: pb.ClassifyRequest, answer: Answer, seconds: float) -> None:
        """See recording.Recorder. `request` may not be changed any more."""
        if self._is_drawn():
            self._keep(request, to_response(answer, request), seconds)

    def failed(self, request: pb.ClassifyRequest, error: BaseException, seconds: float) -> None:
        """See recording.Recorder. `request` may not be changed any more."""
        if self._is_drawn():
            self._keep(request, _status(error), seconds)

    def close(self) -> None:
        """Writes what waits and completes the file. Blocks until that is done, but for no longer than a server that
        stops may: where a disk hangs, what waits is lost.
        """
        self._waiting.put(None)
        self._thread.join(_LAST_WRITES_SECONDS)
        if self._thread.is_alive():
            log.error("the request log could not be completed within %.0f s; what waited is lost", _LAST_WRITES_SECONDS)

    def _is_drawn(self) -> bool:
        return self._dice() * 100 < self._percent

    def _keep(self, request: pb.ClassifyRequest, outcome: pb.ClassifyResponse | Status, seconds: float) -> None:
        size = request.ByteSize()
        with self._counting:
            fits = self._waiting_bytes + size <= _WAITING_BYTES and self._waiting_calls < _WAITING_CALLS
            if fits:
                self._waiting_bytes += size
                self._waiting_calls += 1
        if fits:
            self._waiting.put(_Call(self._clock(), method.get(), request, outcome, seconds, request_id.get(), size))
        else:
            self._observer.recorded("dropped")

    def _write_all(self) -> None:
        try:
            self._files.recover()
        except OSError as error:
            self._complain(error)
        while call := self._waiting.get():
            try:
                self._files.append(self._record(call))
                self._ails = False
                self._observer.recorded("written")
            except Exception as error:  # whatever fails here fails no call
                self._observer.recorded("failed")
                self._complain(error)
            with self._counting:
                self._waiting_bytes -= call.size
                self._waiting_calls -= 1
        try:
            self._files.close()
        except OSError as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Says what is wrong when it begins, and not of every call."""
        if not self._ails:
            log.error("the request log cannot be written; calls are answered all the same: %s", error)
        self._ails = True

    def _record(self, call: _Call) -> bytes:
        recorded = RecordedCall(ended_unix_nanos=call.ended, method=call.method, seconds=call.seconds)
        recorded.request_id = call.request_id
        recorded.request.CopyFrom(call.request)
        recorded.request.ClearField("routing_key")
        content = call.request.encoded or call.request.tensor.content
        recorded.picture_hash = hashlib.blake2b(content, digest_size=32).digest()
        if not self._with_bytes:
            recorded.request.ClearField("picture")
        if isinstance(call.outcome, Status):
            recorded.error.CopyFrom(call.outcome)
        else:
            recorded.response.CopyFrom(call.outcome)
        return recorded.SerializeToString()


def _status(error: BaseException) -> Status:
    """As the caller was told, but with the reason where that was the server's own fault."""
    if isinstance(error, asyncio.CancelledError):
        return Status(code=grpc.StatusCode.CANCELLED.value[0], message="The caller has gone.")
    assert isinstance(error, Exception)
    code, message = code_of(error), str(error)
    if code is grpc.StatusCode.INTERNAL:
        message = f"{type(error).__name__}: {message}"
    return Status(code=code.value[0], message=message)
