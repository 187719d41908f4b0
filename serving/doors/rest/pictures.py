"""The picture in the body of a POST, and the fields that come beside it in a form."""

from fastapi import Request

from serving.doors.rest.forms import FILE, read_form
from serving.errors import InvalidRequest


async def picture_and_fields(request: Request) -> tuple[bytes, list[tuple[str, str]]]:
    """The bytes of the picture file, whatever they are, and the fields of the form if it is one.

    Raises InvalidRequest where the body is neither a picture nor a form with one.
    """
    content_type = request.headers.get("Content-Type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("image/") or kind == "application/octet-stream":
        return await request.body(), []
    if kind != "multipart/form-data":
        raise InvalidRequest(
            f"A picture comes as image/* or application/octet-stream, or as the file {FILE!r} of multipart/form-data; "
            f"{kind[:60] or 'no Content-Type'} came."
        )
    form = await read_form(content_type, request.stream())
    if form.picture is None:
        raise InvalidRequest(f"A form has a file {FILE!r}; none came. Send the picture with its file name.")
    return form.picture, form.fields
