"""How clients and commands are let in by a server that has locks."""

import json

import pytest
from click.testing import CliRunner

from serving.client.access import Access
from serving.commands.models import models
from serving.errors import Forbidden, InvalidRequest, Unauthenticated, Unavailable
from tests.serving.doors.locks.authority import Authority
from tests.serving.fakes import FreeEngine
from tests.serving.picture_files import file_of, noise
from tests.serving.running import of_engines

TOKEN = "token-for-shades-alone"
PICTURE = file_of(noise(8, 8))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("locks") / "ours")


@pytest.fixture(scope="module")
def locked(loop, authority):
    """Asks for a certificate and a token."""
    chain, key = authority.issue("server")
    tokens = chain.parent / "tokens.yaml"
    tokens.write_text(json.dumps([{"name": "shades", "token": TOKEN, "models": ["shades"]}]))
    settings = {"tls_certificate": chain, "tls_key": key, "tls_client_ca": authority.file, "tokens_file": tokens}
    with of_engines(loop, settings=settings, shades=FreeEngine(), tones=FreeEngine()) as server:
        yield f"127.0.0.1:{server.server.grpc_port}"


@pytest.fixture(scope="module")
def tls(authority):
    chain, key = authority.issue("client")
    return {"tls_ca": authority.file, "tls_certificate": chain, "tls_key": key}


def test_a_client_with_a_certificate_and_a_token_is_answered(connect, locked, tls):
    with connect(locked, access=Access(TOKEN, **tls)) as client:
        assert client.classify(PICTURE, model="shades").model_versions == {"shades": 1}
        assert dict(client.classify_stream([("a", PICTURE)], model="shades"))["a"].label
        assert [model.name for model in client.models()] == ["shades"]


def test_a_client_that_may_not_ask_a_model_is_told_so(connect, locked, tls):
    with connect(locked, access=Access(TOKEN, **tls)) as client, pytest.raises(Forbidden, match="tones"):
        client.classify(PICTURE, model="tones")


def test_a_client_without_a_token_is_told_so(connect, locked, tls):
    with connect(locked, access=Access(**tls)) as client, pytest.raises(Unauthenticated, match="Bearer TOKEN"):
        client.models()


def test_a_client_without_tls_finds_nobody(connect, locked):
    with connect(locked) as client, pytest.raises(Unavailable):
        client.models()


@pytest.mark.parametrize("left_out", ["tls_ca", "tls_key", "tls_certificate"])
def test_a_certificate_without_all_that_it_needs_is_refused(tls, left_out):
    with pytest.raises(InvalidRequest, match="Give all three"):
        Access(**{**tls, left_out: None}).channel("localhost:1")


def test_a_token_is_not_printed():
    assert TOKEN not in repr(Access(TOKEN))


def test_commands_are_let_in_by_their_options_or_the_environment(locked, tls):
    options = ["--server", locked, *(f"--{name.replace('_', '-')}={path}" for name, path in tls.items())]
    by_option = CliRunner().invoke(models, [*options, "--token", TOKEN])
    by_variable = CliRunner().invoke(models, options, env={"TENCROP_TOKEN": TOKEN})
    for result in (by_option, by_variable):
        assert "shades" in result.output
        assert "tones" not in result.output
