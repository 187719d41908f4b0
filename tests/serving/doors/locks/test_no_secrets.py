"""Tokens are in no log line and no answer, whatever fails."""

import json
import logging

import grpc
import pytest

from serving.logs import JsonLines, TextLines
from tests.serving.doors.fake_models import DARK, asked
from tests.serving.fakes import PATIENCE, FakeClock, FreeEngine
from tests.serving.running import of_engines

TOKEN, UNKNOWN = "the-token-that-nobody-may-read", "another-token-that-nobody-may-read"


def failing(rows):
    raise RuntimeError("the engine failed")


@pytest.fixture
def tokens_file(tmp_path):
    path = tmp_path / "tokens.yaml"
    path.write_text(json.dumps([{"name": "reader", "token": TOKEN, "models": ["shades", "broken"]}]))
    return path


def calls(server):
    """Every way in which a call with a token may fail, and the status that it gets."""
    raw = server.channel.unary_unary("/tencrop.v1.Classification/Classify")
    nothing = server.channel.unary_unary("/tencrop.v1.Classification/Nothing")
    classify, body = server.stub.Classify, asked(DARK).SerializeToString()
    code = grpc.StatusCode
    return [
        (code.UNAUTHENTICATED, lambda shown: classify(asked(DARK), metadata=shown(UNKNOWN), timeout=PATIENCE)),
        (code.UNAUTHENTICATED, lambda shown: raw(body, metadata=(("authorization", TOKEN),), timeout=PATIENCE)),
        (code.PERMISSION_DENIED, lambda shown: classify(asked(DARK, "tones"), metadata=shown(TOKEN), timeout=PATIENCE)),
        (code.INVALID_ARGUMENT, lambda shown: raw(b"\xff" * 9, metadata=shown(TOKEN), timeout=PATIENCE)),
        (code.INTERNAL, lambda shown: classify(asked(DARK, "broken"), metadata=shown(TOKEN), timeout=PATIENCE)),
        (code.UNIMPLEMENTED, lambda shown: nothing(b"", metadata=shown(TOKEN), timeout=PATIENCE)),
    ]


def test_no_failure_writes_a_token_to_the_log_or_tells_it(loop, tokens_file, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    engines = {"shades": FreeEngine(), "tones": FreeEngine(), "broken": FreeEngine(failing)}
    told = []
    with of_engines(loop, settings={"tokens_file": tokens_file}, **engines) as server:
        for code, call in calls(server):
            with pytest.raises(grpc.RpcError) as failed:
                call(lambda token: (("authorization", f"Bearer {token}"),))
            assert failed.value.code() is code
            told.append(f"{failed.value.details()} {failed.value.trailing_metadata()}")
    assert "the engine failed" in caplog.text
    assert secrets_in(caplog.records, capfd, told) == []


def test_a_tokens_file_that_goes_bad_is_logged_without_what_is_in_it(tmp_path, tokens_file, caplog, capfd):
    from serving.doors.locks.doorkeeper import Doorkeeper

    clock = FakeClock()
    doorkeeper = Doorkeeper.of_file(tokens_file, clock)
    for bad in (f"{TOKEN}: [", f"- {TOKEN}", f"- {{name: reader, tokne: {TOKEN}}}", TOKEN):
        tokens_file.write_text(bad)
        clock.advance(1)
        assert doorkeeper.admit(f"Bearer {TOKEN}").name == "reader"
    assert len(caplog.records) == 4
    assert secrets_in(caplog.records, capfd, []) == []


def secrets_in(records: list[logging.LogRecord], capfd, told: list[str]) -> list[str]:
    """Everything written or told that has a token in it."""
    lines = [formatter.format(record) for record in records for formatter in (TextLines(), JsonLines())]
    printed = capfd.readouterr()
    return [text for text in (*lines, *told, printed.out, printed.err) if TOKEN in text or UNKNOWN in text]
