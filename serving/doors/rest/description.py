"""What OpenAPI says of POST /v1/classify beside what FastAPI finds in its signature: a body of two kinds, and the
fields of Question in the query.
"""

from typing import Any

from serving.doors.rest.forms import FILE
from serving.doors.rest.questions import Question

TIMEOUT = "X-Timeout-Seconds"


def _as_text(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field as a query or a form has it: there is no null to write in one."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind["type"] != "null"]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    return {**rest, **kinds[0]} if kinds else rest


_FIELDS = {name: _as_text(schema) for name, schema in Question.model_json_schema()["properties"].items()}
_FILE = {"type": "string", "format": "binary"}

_HEADER = {
    "name": TIMEOUT,
    "in": "header",
    "description": "The answer is of no use after so many seconds, counted from the last byte of the request.",
    "schema": {"type": "number", "exclusiveMinimum": 0},
}
_QUERY = [
    {"name": name, "in": "query", "description": schema["description"], "schema": schema}
    for name, schema in _FIELDS.items()
]
_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {"type": "object", "required": [FILE], "properties": {FILE: _FILE, **_FIELDS}},
            "encoding": {FILE: {"contentType": "image/*"}},
        },
        "image/*": {"schema": _FILE},
        "application/octet-stream": {"schema": _FILE},
    },
}

CLASSIFY: dict[str, Any] = {
    "description": "The picture is a JPEG, PNG, WebP, BMP or GIF file: the whole body, or a file in a form. Fields "
    "stand in the query or in the form.",
    "openapi_extra": {"parameters": [_HEADER, *_QUERY], "requestBody": _BODY},
}
