"""A client that nobody here wrote, made of the OpenAPI document alone: schemathesis asks, and checks every answer."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.picture_files import file_of, noise
from tests.serving.running import of_engines

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)
"""All that fit but one: what is valid by the document need not be accepted, since no schema says what a picture is."""


pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="schemathesis needs Python 3.11")


@pytest.fixture(scope="module")
def address(loop):
    with of_engines(loop, shades=FreeEngine()) as server:
        yield f"http://127.0.0.1:{server.server.http_port}"


def test_every_refusal_is_as_documented(address, tmp_path):
    options = ["--max-examples=20", "--seed=1", "--no-color", "--suppress-health-check=all", "--warnings=off"]
    run = subprocess.run(
        [SCHEMATHESIS, "run", f"{address}/openapi.json", f"--checks={','.join(CHECKS)}", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Tested: 2\n" in run.stdout


def test_an_answer_is_as_documented(address):
    import schemathesis

    operation = schemathesis.openapi.from_url(f"{address}/openapi.json")["/v1/classify"]["POST"]
    answer = httpx.post(
        f"{address}/v1/classify?with_view_scores=true",
        content=file_of(noise(8, 8)),
        headers={"Content-Type": "image/png"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200
    operation.validate_response(answer)
