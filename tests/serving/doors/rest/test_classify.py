"""POST /v1/classify and GET /v1/catalogue on a real server: pictures in, JSON out, the same counts as over gRPC."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from protos import classification_pb2 as pb
from tests.faults.books import Books
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of, probabilities_of
from tests.serving.fakes import PATIENCE, FreeEngine, HeldEngine
from tests.serving.loops import eventually
from tests.serving.picture_files import file_of
from tests.serving.running import of_engines

METHOD = "POST /v1/classify"


def picture(level: int) -> bytes:
    return file_of(np.full((8, 8), level, np.uint8))


@pytest.fixture(scope="module")
def server(loop):
    choir = {"choir": {"shades": 1, "tones": 2}}
    with of_engines(loop, choir, shades=FreeEngine(), tones=FreeEngine()) as server:
        yield server


@pytest.fixture
def client(server):
    with client_of(server) as client:
        yield client


def client_of(server) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{server.server.http_port}", timeout=PATIENCE)


@pytest.mark.parametrize("kind", ["image/png", "image/*", "application/octet-stream", "IMAGE/PNG; q=1"])
def test_a_picture_is_the_whole_body(client, kind):
    params = {"model": "shades", "top_k": 3}
    answer = client.post("/v1/classify", params=params, content=picture(DARK), headers={"Content-Type": kind})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    given = {each["label"]: each["probability"] for each in answer.json()["predictions"]}
    assert given == pytest.approx(probabilities_of(DARK))


def test_a_picture_is_a_file_of_a_form_beside_its_fields(client):
    fields = {"model": "choir", "views": "ten", "vote": "majority", "with_member_scores": "true", "top_k": "1"}
    answer = client.post("/v1/classify", data=fields, files={"picture": ("boot.png", picture(BRIGHT))}).json()
    assert (answer["label"], answer["views"], answer["vote"]) == (label_of(BRIGHT), "ten", "majority")
    assert answer["model_versions"] == [{"name": "shades", "version": 1}, {"name": "tones", "version": 1}]
    assert [each["name"] for each in answer["member_scores"]] == ["shades", "tones"]
    assert len(answer["predictions"]) == 1


def test_fields_of_a_form_and_of_the_query_belong_together(client):
    answer = client.post(
        "/v1/classify?model=shades&views=five", data={"top_k": "2"}, files={"picture": ("a.png", picture(DARK))}
    ).json()
    assert (answer["views"], len(answer["predictions"])) == ("five", 2)


def test_a_large_picture_in_a_form_arrives_whole(client):
    bright = file_of(np.full((1500, 1500), BRIGHT, np.uint8), "BMP")
    answer = client.post("/v1/classify?model=shades", files={"picture": ("a.bmp", bright)})
    assert answer.json()["label"] == label_of(BRIGHT)


def test_boxes_are_looked_at(client):
    both = np.repeat(np.array([DARK, BRIGHT], np.uint8), 8)[None, :].repeat(8, axis=0)
    query = {"model": "shades", "box": ["0,0,1,.5", "0,0.5,1,1"], "with_view_scores": "true"}
    answer = client.post(
        "/v1/classify", params=query, content=file_of(both), headers={"Content-Type": "image/png"}
    ).json()
    assert answer["views"] == "boxes"
    first, second = (each["probabilities"] for each in answer["view_scores"])
    assert first == pytest.approx(list(probabilities_of(DARK).values()))
    assert second == pytest.approx(list(probabilities_of(BRIGHT).values()))


def test_the_answer_is_that_of_grpc_field_by_field(server, client):
    same = {"views": "ten", "with_view_scores": "true", "with_member_scores": "true"}
    over_http = client.post(
        "/v1/classify?model=choir", params=same, content=picture(DARK), headers={"Content-Type": "image/png"}
    ).json()
    over_grpc = server.classify(
        asked(DARK, "choir", views=pb.VIEWS_TEN, with_view_scores=True, with_member_scores=True)
    )
    assert set(over_http) == {field.name for field in pb.ClassifyResponse.DESCRIPTOR.fields}
    for field in ("label", "view_agreement", "member_agreement", "views_used", "rows_used", "cached"):
        assert over_http[field] == getattr(over_grpc, field)
    for field in ("view_scores", "member_scores"):
        expected = [(each.name, list(each.probabilities)) for each in getattr(over_grpc, field)]
        assert [(each["name"], each["probabilities"]) for each in over_http[field]] == expected


@pytest.mark.parametrize(
    ("query", "number", "said"),
    [
        ({"model": "nobody"}, 404, "shades"),
        ({"views": "eleven"}, 400, "views: Input should be 'single'"),
        ({"top_k": 4}, 400, "top_k is from 1 to the model's 3 classes; 4 came"),
        ({"top_k": "many"}, 400, "top_k"),
        ({"min_confidence": "nan"}, 400, "min_confidence"),
        ({"colour": "red"}, 400, "colour: Extra inputs"),
        ({"top_k": ["1", "2"]}, 400, "given once"),
        ({"version": 1, "version_label": "production"}, 400, "both came"),
        ({"version": 2**63}, 400, "version"),
        ({"box": "0,0,1"}, 400, "box.0"),
        ({"box": "0,0,2,1"}, 400, "2"),
    ],
)
def test_a_request_at_fault_is_told_why(client, query, number, said):
    query = {"model": "shades", **query}
    refused = client.post("/v1/classify", params=query, content=picture(DARK), headers={"Content-Type": "image/png"})
    assert refused.status_code == number
    assert said in refused.json()["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"content": b"", "headers": {"Content-Type": "image/png"}}, "A picture has bytes"),
        ({"content": b"no picture", "headers": {"Content-Type": "image/png"}}, "JPEG, PNG"),
        ({"content": picture(DARK)}, "no Content-Type came"),
        ({"json": {"picture": "x"}}, "application/json came"),
        ({"files": {"image": ("a.png", picture(DARK))}}, "one file, 'picture'; 'image' came"),
        ({"files": {"picture": (None, "text")}}, "has a file 'picture'; none came"),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data; boundary=y"}}, "RFC 7578"),
        ({"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}}, "RFC 7578"),
    ],
)
def test_a_body_without_a_picture_is_told_what_it_should_have_been(client, body, said):
    refused = client.post("/v1/classify", params={"model": "shades"}, **body)
    assert refused.status_code == 400
    assert said in refused.json()["error"]


def test_calls_are_counted_as_over_grpc(loop):
    with of_engines(loop, shades=FreeEngine()) as server, client_of(server) as client:
        for path in ("/v1/classify", "/v1/classify?views=ten", "/v1/classify?model=nobody", "/v1/classify?top_k=x"):
            client.post(path, content=picture(DARK), headers={"Content-Type": "image/png"})
        books = Books(server)
    assert books.calls(method=METHOD, model="shades", views="1", status="OK") == 1
    assert books.calls(method=METHOD, model="shades", views="10", status="OK") == 1
    assert books.calls(method=METHOD, model="", status="NOT_FOUND") == 1
    assert books.calls(method=METHOD, model="", status="INVALID_ARGUMENT") == 1
    books.check()


@pytest.mark.parametrize("timeout", ["0", "-1", "soon", "nan", "inf"])
def test_a_timeout_is_a_number_of_seconds(client, timeout):
    headers = {"Content-Type": "image/png", "X-Timeout-Seconds": timeout}
    refused = client.post("/v1/classify?model=shades", content=picture(DARK), headers=headers)
    assert refused.status_code == 400
    assert repr(timeout) in refused.json()["error"]


@pytest.fixture
def held():
    engine = HeldEngine()
    yield engine
    engine.let_go()


def test_a_deadline_that_passes_while_the_engine_computes_ends_the_call(loop, held):
    with of_engines(loop, shades=held) as server, client_of(server) as client:
        headers = {"Content-Type": "image/png", "X-Timeout-Seconds": "0.05"}
        refused = client.post("/v1/classify", content=picture(DARK), headers=headers)
        assert refused.status_code == 504
        assert "within 0.05 seconds" in refused.json()["error"]
        assert Books(server).calls(method=METHOD, status="DEADLINE_EXCEEDED") == 1
        held.let_go()


def test_rows_of_a_caller_who_has_gone_are_not_computed(loop, held):
    with of_engines(loop, shades=held) as server, ThreadPoolExecutor(1) as pool:
        first = pool.submit(server.classify, asked(DARK))
        held.wait_until_busy()
        with socket.create_connection(("127.0.0.1", server.server.http_port), timeout=PATIENCE) as gone:
            body = picture(BRIGHT)
            head = f"POST /v1/classify HTTP/1.1\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
            gone.sendall(head.encode() + body)
            server.wait_for_queue(1)
        server.wait_for_queue(0)
        held.let_go()
        assert first.result().label == label_of(DARK)
        eventually(lambda: Books(server).calls(method=METHOD, status="CANCELLED") == 1)
    assert len(held.batches) == 1


def test_who_leaves_within_the_body_leaves_nothing_in_the_log(server, caplog):
    before = threading.active_count()
    with socket.create_connection(("127.0.0.1", server.server.http_port), timeout=PATIENCE) as gone:
        gone.sendall(b"POST /v1/classify HTTP/1.1\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\n12")
    with client_of(server) as client:
        client.get("/v1/catalogue")
    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
    assert threading.active_count() <= before


def test_the_catalogue_lists_models_and_ensembles(client):
    models = client.get("/v1/catalogue").json()["models"]
    assert [each["name"] for each in models] == ["choir", "shades", "tones"]
    choir, shades, _ = models
    assert choir["members"] == [
        {"model_version": {"name": "shades", "version": 1}, "weight": 1.0},
        {"model_version": {"name": "tones", "version": 1}, "weight": 2.0},
    ]
    assert (shades["versions"], shades["vote"]) == ([1], "mean-probability")
    assert (shades["canary"], shades["shadow"]) == (None, None)
    assert set(shades) == {field.name for field in pb.Model.DESCRIPTOR.fields}
