"""multipart/form-data (RFC 7578) with one file and some short fields, kept in memory as it comes in pieces."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from serving.errors import InvalidRequest

FILE = "picture"

_MAX_FIELDS = 200
"""Boxes are fields, 150 at most."""
_MAX_FIELD_BYTES = 1000

# It warns of every form that is damaged. Whoever sent it is told.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


class _Part:
    """One field or file."""

    def __init__(self) -> None:
        self.header_name = self.header_value = self.disposition = b""
        self.content = bytearray()
        self.is_file = False

    def take_header(self) -> None:
        """A header is whole; of those there are, one counts."""
        if self.header_name.lower() == b"content-disposition":
            self.disposition = self.header_value
        self.header_name = self.header_value = b""


class Form:
    """What was found in a form: `fields` in order, and the `picture` or None. What begins with on_ is called by
    MultipartParser.
    """

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.picture: bytes | None = None
        self.ended = False
        self._part = _Part()
        self._name = ""

    def on_part_begin(self) -> None:
        self._part = _Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def on_header_end(self) -> None:
        self._part.take_header()

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        self._name = _text(options.get(b"name", b""))
        self._part.is_file = b"filename" in options

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._part.content += data[start:end]
        if not self._part.is_file and len(self._part.content) > _MAX_FIELD_BYTES:
            raise InvalidRequest(
                f"A field has at most {_MAX_FIELD_BYTES} bytes; more came for {self._name[:40]!r}. Send a picture as a "
                "file, with a file name."
            )

    def on_part_end(self) -> None:
        if not self._part.is_file:
            self._take_field()
        elif self._name != FILE or self.picture is not None:
            raise InvalidRequest(f"A form has one file, {FILE!r}; {self._name[:40]!r} came as well, or in its place.")
        else:
            self.picture = bytes(self._part.content)

    def on_end(self) -> None:
        self.ended = True

    def _take_field(self) -> None:
        if len(self.fields) == _MAX_FIELDS:
            raise InvalidRequest(f"A form has at most {_MAX_FIELDS} fields; more came. Leave out what is not needed.")
        self.fields.append((self._name, _text(self._part.content)))


async def read_form(content_type: str, body: AsyncIterator[bytes]) -> Form:
    """The form in `body`. Raises InvalidRequest where there is none, or one that is broken or over its bounds."""
    _, options = parse_options_header(content_type)
    form = Form()
    try:
        parser = MultipartParser(options.get(b"boundary", b""), _callbacks_of(form))
        async for piece in body:
            parser.write(piece)
    except FormParserError as error:
        raise InvalidRequest(f"A form is made as RFC 7578 says; in what came, {error}. {_WAY_OUT}") from error
    if not form.ended:
        raise InvalidRequest(f"A form ends with its boundary; what came broke off before. {_WAY_OUT}")
    return form


_WAY_OUT = "Send it with an HTTP client that makes forms, such as curl -F."


def _callbacks_of(form: Form) -> Any:
    return {name: getattr(form, name) for name in dir(form) if name.startswith("on_")}


def _text(content: bytes | bytearray) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"A form's names and fields are UTF-8; {bytes(content[:40])!r} came.") from error
