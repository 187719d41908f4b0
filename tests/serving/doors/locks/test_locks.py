"""What a server says of its locks when it starts, and what it refuses to start with."""

import pytest

from serving.doors.locks.locks import Locks
from serving.errors import LockRejected, Unauthenticated
from serving.metrics import Metrics
from serving.settings import Settings
from tests.serving.doors.locks.authority import Authority
from tests.serving.fakes import FakeClock


def locks(**settings) -> Locks:
    return Locks(Settings(**settings), Metrics(), FakeClock())


@pytest.fixture
def tls(tmp_path):
    chain, key = Authority(tmp_path / "ours").issue("server")
    return {"tls_certificate": chain, "tls_key": key}


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens.yaml"
    path.write_text("- {name: reader, token: the-token-of-the-reader}")
    return {"tokens_file": path}


def test_loopback_needs_no_locks(caplog):
    locks()
    assert caplog.records == []


def test_a_port_that_other_machines_reach_without_locks_is_warned_of(caplog):
    locks(host="0.0.0.0")
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "0.0.0.0 is open to other machines WITHOUT TLS" in caplog.text
    assert "WITHOUT TOKENS" in caplog.text


def test_tokens_that_are_sent_in_the_clear_are_warned_of(caplog, tokens):
    locks(host="0.0.0.0", **tokens)
    (record,) = caplog.records
    assert "can read and change what is sent, tokens too" in record.getMessage()


def test_a_locked_port_is_not_warned_of(caplog, tls, tokens):
    locks(host="0.0.0.0", **tls, **tokens)
    locks(host="0.0.0.0", **tls, tls_client_ca=tls["tls_certificate"])
    assert caplog.records == []


@pytest.mark.parametrize("setting", ["tokens_file", "admin_token_file", "tls_certificate"])
def test_a_file_that_is_missing_or_makes_no_sense_keeps_the_server_from_starting(tmp_path, tls, setting):
    path = tmp_path / "file"
    for make in (lambda: None, lambda: path.write_text("nothing")):
        make()
        with pytest.raises((LockRejected, OSError), match=str(path)):
            locks(**{**tls, setting: path})


def test_admin_calls_have_a_token_of_their_own(tmp_path, tokens):
    path = tmp_path / "admin.token"
    path.write_text("the-token-of-admins")
    locked = locks(admin_token_file=path, **tokens)
    locked.admin_entrance.enter("Bearer the-token-of-admins")
    with pytest.raises(Unauthenticated):
        locked.admin_entrance.enter("Bearer the-token-of-the-reader")
    with pytest.raises(Unauthenticated):
        locked.entrance.enter("Bearer the-token-of-admins")
