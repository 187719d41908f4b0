"""/docs and /openapi.json: all that can be asked over HTTP, and nothing that is fetched from elsewhere."""

import re

import httpx
import pytest


@pytest.fixture(scope="module")
def client(served):
    with httpx.Client(base_url=f"http://127.0.0.1:{served.server.http_port}") as client:
        yield client


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


def test_every_operation_is_on_the_page_with_its_parameters_and_answers(client, document):
    page = client.get("/docs").text
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in page
            for name in [each["name"] for each in operation.get("parameters", ())] + list(operation["responses"]):
                assert f"<td>{name}</td>" in page


def test_the_page_needs_nothing_from_elsewhere(client):
    page = client.get("/docs")
    assert re.findall(r"<(script|link|img|iframe)|https?://|url\(", page.text) == []
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_every_link_of_the_page_leads_to_a_schema_on_it(client):
    page = client.get("/docs").text
    targets = re.findall(r'href="#([^"]+)"', page)
    assert targets
    assert set(targets) <= set(re.findall(r'id="([^"]+)"', page))


def test_refusals_are_documented_with_their_body(document):
    answers = document["paths"]["/v1/classify"]["post"]["responses"]
    assert set(answers) == {"200", "400", "404", "413", "429", "500", "503", "504"}
    for number in set(answers) - {"200"}:
        schema = answers[number]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Refused"}


def test_probes_are_for_machines_and_not_documented(document):
    assert not {"/metrics", "/healthz", "/readyz", "/docs"} & set(document["paths"])
