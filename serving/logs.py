"""How the log looks: lines of text, or an object of JSON a line. Either names the request that a line belongs to."""

import json
import logging
from datetime import datetime, timezone
from typing import Literal

from serving.request_ids import request_id

LogFormat = Literal["text", "json"]


class TextLines(logging.Formatter):
    """Time, level, logger, the request's id in brackets where there is one, and the message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(of_request)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        id = request_id.get()
        record.of_request = f" [{id}]" if id else ""
        return super().format(record)


class JsonLines(logging.Formatter):
    """An object a line: time (ISO 8601, UTC), level, logger, message, and where there are any request_id and error, a
    stack trace.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if id := request_id.get():
            line["request_id"] = id
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


_FORMATTERS: dict[LogFormat, type[logging.Formatter]] = {"text": TextLines, "json": JsonLines}


def configure(log_format: LogFormat) -> None:
    """Sends what the process logs, from INFO on, to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_FORMATTERS[log_format]())
    logging.basicConfig(handlers=[handler], level=logging.INFO)
