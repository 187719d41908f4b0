"""TLS of the gRPC port: who is spoken to, and certificates that are renewed."""

import socket
import ssl

import grpc
import pytest

from protos.classification_pb2_grpc import ClassificationStub
from serving import server
from serving.doors.locks.certificates import CertificateFiles, grpc_credentials
from serving.doors.locks.locks import Locks
from serving.errors import LockRejected
from tests.serving.doors.fake_models import DARK, asked, label_of
from tests.serving.doors.locks.authority import Authority
from tests.serving.fakes import PATIENCE, FakeClock, FreeEngine
from tests.serving.running import of_engines

REFUSED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@pytest.fixture
def ours(tmp_path):
    return Authority(tmp_path / "ours")


@pytest.fixture
def clock(monkeypatch):
    """By which servers of the test decide whether to look at their files again."""
    clock = FakeClock()
    monkeypatch.setattr(server, "Locks", lambda settings, metrics, _: Locks(settings, metrics, clock))
    return clock


@pytest.fixture
def theirs(tmp_path):
    return Authority(tmp_path / "theirs")


def outcome(port: int, authority: Authority, client: tuple | None = None) -> str | grpc.StatusCode:
    """What a caller gets who trusts `authority` and shows the certificate `client`, if any."""
    chain, key = (path.read_bytes() for path in client) if client else (None, None)
    credentials = grpc.ssl_channel_credentials(authority.pem, key, chain)
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
        try:
            return ClassificationStub(channel).Classify(asked(DARK), timeout=PATIENCE).label
        except grpc.RpcError as error:
            return error.code()


def served_with(loop, chain, key, client_ca=None):
    settings = {"tls_certificate": chain, "tls_key": key, "tls_client_ca": client_ca}
    return of_engines(loop, settings=settings, shades=FreeEngine())


def test_a_caller_who_trusts_the_authority_is_answered_and_no_other(loop, ours, theirs):
    with served_with(loop, *ours.issue("server")) as server:
        assert outcome(server.server.grpc_port, ours) == label_of(DARK)
        assert outcome(server.server.grpc_port, theirs) in REFUSED


def test_a_caller_without_tls_is_not_answered(loop, ours):
    with served_with(loop, *ours.issue("server")) as server:
        assert server.refusal(asked(DARK))[0] in REFUSED


def test_where_callers_show_certificates_only_those_of_the_authority_are_answered(loop, ours, theirs):
    with served_with(loop, *ours.issue("server"), theirs.file) as server:
        port = server.server.grpc_port
        assert outcome(port, ours, theirs.issue("client")) == label_of(DARK)
        assert outcome(port, ours, ours.issue("client")) in REFUSED
        assert outcome(port, ours) in REFUSED


def test_a_renewed_certificate_is_shown_without_a_restart(loop, ours, theirs, clock):
    chain, key = ours.issue("server")
    with served_with(loop, chain, key) as server:
        port = server.server.grpc_port
        assert outcome(port, ours) == label_of(DARK)
        for new, old in zip(theirs.issue("server"), (chain, key), strict=True):
            new.replace(old)
        clock.advance(1)
        assert outcome(port, theirs) == label_of(DARK)
        assert outcome(port, ours) in REFUSED


def test_a_certificate_that_is_half_renewed_leaves_the_one_before(loop, ours, theirs, clock, caplog):
    chain, key = ours.issue("server")
    with served_with(loop, chain, key) as server:
        theirs.issue("server")[0].replace(chain)
        clock.advance(1)
        assert outcome(server.server.grpc_port, ours) == label_of(DARK)
    assert "what it said before still holds" in caplog.text


def test_files_that_are_no_certificate_are_named(ours, tmp_path):
    chain, key = ours.issue("server")
    with pytest.raises(LockRejected, match=r"server\.key, .*server\.pem are none"):
        grpc_credentials(CertificateFiles(key, chain), FakeClock())


def test_old_tls_is_not_spoken(loop, ours):
    chain, key = ours.issue("server")
    with served_with(loop, chain, key) as server:
        context = ssl.create_default_context(cafile=ours.file)
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with (
            socket.create_connection(("127.0.0.1", server.server.grpc_port), PATIENCE) as plain,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            context.wrap_socket(plain, server_hostname="localhost")
