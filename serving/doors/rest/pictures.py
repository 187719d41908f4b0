"""The picture in the body of a POST, and the fields that come beside it in a form."""

import sys

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from serving.errors import InvalidRequest

FILE = "picture"

# Boxes are fields, 150 at most.
_MAX_FIELDS = 200
_MAX_FIELD_BYTES = 1000


class _InMemory(MultiPartParser):
    """Starlette's, without its files on disk: the whole body is bounded."""

    spool_max_size = sys.maxsize


async def picture_and_fields(request: Request) -> tuple[bytes, list[tuple[str, str]]]:
    """The bytes of the picture file, whatever they are, and the fields of the form if it is one.

    Raises InvalidRequest where the body is neither a picture nor a form with one.
    """
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _of_form(request)
    if kind.startswith("image/") or kind == "application/octet-stream":
        return await request.body(), []
    raise InvalidRequest(
        f"A picture comes as image/* or application/octet-stream, or as the file {FILE!r} of multipart/form-data; "
        f"{kind[:60] or 'no Content-Type'} came."
    )


async def _of_form(request: Request) -> tuple[bytes, list[tuple[str, str]]]:
    parser = _InMemory(
        request.headers, request.stream(), max_files=1, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequest(
            f"A form is multipart/form-data with one file and some short fields; {error.message} Send it with an HTTP "
            "client that makes forms."
        ) from error
    try:
        pictures = [value for name, value in form.multi_items() if name == FILE and isinstance(value, UploadFile)]
        if not pictures:
            raise InvalidRequest(f"A form has a file {FILE!r}; none came. Send the picture with its file name.")
        fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        return await pictures[0].read(), fields
    finally:
        await form.close()
