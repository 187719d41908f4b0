"""TLS of the HTTP port: who is spoken to, and certificates that are renewed."""

import ssl
import urllib.error
import urllib.request

import pytest

from serving import server
from serving.doors.locks.locks import Locks
from tests.serving.doors.locks.authority import Authority
from tests.serving.fakes import PATIENCE, FakeClock, FreeEngine
from tests.serving.running import of_engines


@pytest.fixture
def clock(monkeypatch):
    """By which servers of the test decide whether to look at their files again."""
    clock = FakeClock()
    monkeypatch.setattr(server, "Locks", lambda settings, metrics, _: Locks(settings, metrics, clock))
    return clock


@pytest.fixture
def ours(tmp_path):
    return Authority(tmp_path / "ours")


@pytest.fixture
def theirs(tmp_path):
    return Authority(tmp_path / "theirs")


def answers(port: int, authority: Authority, client: tuple | None = None) -> bool:
    """Whether a caller is answered who trusts `authority` and shows the certificate `client`, if any."""
    context = ssl.create_default_context(cafile=authority.file)
    if client:
        context.load_cert_chain(*client)
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/healthz", timeout=PATIENCE, context=context) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ssl.SSLError, ConnectionError):
        return False


def served_with(loop, chain, key, client_ca=None):
    settings = {"tls_certificate": chain, "tls_key": key, "tls_client_ca": client_ca}
    return of_engines(loop, settings=settings, shades=FreeEngine())


def test_a_caller_who_trusts_the_authority_is_answered_and_no_other(loop, ours, theirs):
    with served_with(loop, *ours.issue("server")) as server:
        assert answers(server.server.http_port, ours)
        assert not answers(server.server.http_port, theirs)


def test_a_caller_without_tls_is_not_answered(loop, ours):
    with served_with(loop, *ours.issue("server")) as server, pytest.raises(OSError):  # noqa: PT011, whichever
        server.http("/healthz")


def test_where_callers_show_certificates_only_those_of_the_authority_are_answered(loop, ours, theirs):
    with served_with(loop, *ours.issue("server"), theirs.file) as server:
        port = server.server.http_port
        assert answers(port, ours, theirs.issue("client"))
        assert not answers(port, ours, ours.issue("client"))
        assert not answers(port, ours)


def test_a_renewed_certificate_is_shown_without_a_restart(loop, ours, theirs, clock):
    chain, key = ours.issue("server")
    with served_with(loop, chain, key) as server:
        port = server.server.http_port
        assert answers(port, ours)
        for new, old in zip(theirs.issue("server"), (chain, key), strict=True):
            new.replace(old)
        clock.advance(1)
        assert answers(port, theirs)
        assert not answers(port, ours)


def test_renewed_authorities_are_those_whose_callers_are_answered(loop, ours, theirs, clock):
    chain, key = ours.issue("server")
    authorities = chain.parent / "authorities.pem"
    authorities.write_bytes(ours.pem)
    with served_with(loop, chain, key, authorities) as server:
        port = server.server.http_port
        assert answers(port, ours, ours.issue("client"))
        authorities.write_bytes(theirs.pem)
        clock.advance(1)
        assert answers(port, ours, theirs.issue("client"))
        assert not answers(port, ours, ours.issue("client"))
