"""Forms as they come in pieces: whole ones are read, and what is wrong with others is said."""

import pytest

from serving.doors.rest.forms import read_form
from serving.errors import InvalidRequest
from tests.serving.loops import on_a_loop

FIELD = b'--x\r\nContent-Disposition: form-data; name="top_k"\r\n\r\n2\r\n'
FILE = (
    b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\nContent-Type: image/png\r\n\r\n\r\n-\r\n'
)
END = b"--x--\r\n"


async def read(body: bytes, piece: int = 1000, boundary: str = "x"):
    async def pieces():
        for start in range(0, len(body), piece):
            yield body[start : start + piece]

    return await read_form(f"multipart/form-data; boundary={boundary}", pieces())


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
@on_a_loop
async def test_a_form_is_the_same_in_pieces_of_any_size(piece):
    form = await read(FIELD + FILE + FIELD + END, piece)
    assert (form.picture, form.fields) == (b"\r\n-", [("top_k", "2"), ("top_k", "2")])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "broke off"),
        (FIELD + FILE, "broke off"),
        (FILE + FILE + END, "one file, 'picture'"),
        (FILE.replace(b"picture", b"image") + END, "'image' came"),
        (FIELD * 201 + END, "at most 200 fields"),
        (FIELD.replace(b"2\r", b"2" * 1001 + b"\r") + END, "at most 1000 bytes; more came for 'top_k'"),
        (FIELD.replace(b"2\r", b"\xff\r") + END, "UTF-8"),
        (FIELD.replace(b"top_k", b"\xff") + END, "UTF-8"),
        (b"no form", "RFC 7578"),
    ],
)
@on_a_loop
async def test_a_form_that_is_none_or_too_large_is_refused(body, said):
    with pytest.raises(InvalidRequest, match=said):
        await read(body)


@pytest.mark.parametrize("boundary", ["", "y" * 300])
@on_a_loop
async def test_a_form_has_a_boundary_of_some_length(boundary):
    with pytest.raises(InvalidRequest):
        await read(FIELD + END, boundary=boundary)
