"""Every setting: its default, its environment variable, its option, and its bounds."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from serving.commands.serve import serve
from serving.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TENCROP_{name.upper()}", raising=False)


def test_the_documented_defaults_hold():
    settings = Settings()
    assert (settings.models, settings.host) == (Path("models"), "127.0.0.1")
    assert (settings.grpc_port, settings.http_port) == (8500, 8501)


def test_the_environment_sets(monkeypatch):
    monkeypatch.setenv("TENCROP_MAX_BATCH_SIZE", "7")
    monkeypatch.setenv("TENCROP_MODELS", "/srv/models")
    assert (Settings().max_batch_size, Settings().models) == (7, Path("/srv/models"))


def test_what_is_given_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("TENCROP_GRPC_PORT", "1")
    assert Settings(grpc_port=2).grpc_port == 2


def test_a_variable_of_another_part_of_tencrop_is_left_alone(monkeypatch):
    monkeypatch.setenv("TENCROP_DATA_DIR", "/usr/share/datasets")
    monkeypatch.setenv("TENCROP_SERVER", "gpu1:8500")
    Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grpc_port", -1),
        ("grpc_port", 65536),
        ("http_port", 65536),
        ("http_port", "x"),
        ("max_batch_size", 0),
        ("max_queue_rows", 0),
        ("max_picture_bytes", 0),
        ("max_picture_pixels", 0),
        ("decoding_threads", 0),
        ("max_decoding_pixels", 0),
        ("max_bytes_in_flight", 0),
        ("cache_bytes", -1),
        ("stream_window", 0),
        ("drain_seconds", -1),
        ("max_calls", 0),
        ("max_connections", 0),
        ("max_streams_per_connection", 0),
        ("max_header_bytes", 1023),
        ("idle_seconds", 0),
        ("max_connection_age_seconds", -1),
        ("log_format", "xml"),
    ],
)
def test_a_value_out_of_bounds_is_refused(name, value):
    with pytest.raises(ValidationError):
        Settings(**{name: value})


TOGETHER = {
    "a certificate without its key": ({"tls_certificate": "a.pem"}, "tls_certificate and tls_key come together"),
    "a key without its certificate": ({"tls_key": "a.key"}, "tls_certificate and tls_key come together"),
    "authorities without TLS": ({"tls_client_ca": "ca.pem"}, "asks for tls_certificate and tls_key"),
    "admin calls from anywhere": ({"admin_host": "0.0.0.0"}, "admin_host '0.0.0.0' came without"),
    "admin calls from what may be anywhere": ({"admin_host": "gpu1"}, "admin_host 'gpu1' came without"),
}


@pytest.mark.parametrize(("values", "message"), TOGETHER.values(), ids=TOGETHER)
def test_settings_that_make_no_sense_together_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        Settings(**values)
    result = CliRunner().invoke(serve, [f"--{name.replace('_', '-')}={value}" for name, value in values.items()])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_admin_calls_from_this_machine_alone_need_no_token(host):
    assert Settings(admin_host=host).admin_token_file is None


def test_admin_calls_from_anywhere_are_let_in_by_token():
    assert Settings(admin_host="0.0.0.0", admin_token_file="token").admin_host == "0.0.0.0"


def test_no_drain_time_at_all_is_allowed():
    assert Settings(drain_seconds=0).drain_seconds == 0


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        Settings().grpc_port = 1


def test_every_setting_is_an_option_of_serve_with_its_default_and_variable():
    help = " ".join(CliRunner().invoke(serve, ["--help"], terminal_width=400).output.split())
    for name, field in Settings.model_fields.items():
        assert f"--{name.replace('_', '-')} " in help
        assert field.description in help
        default = field.get_default(call_default_factory=True)
        assert f"[default: {default}; env: TENCROP_{name.upper()}]" in help


@pytest.mark.parametrize("given", [["--max-batch-size", "0"], ["--grpc-port", "http"]])
def test_an_option_out_of_bounds_is_a_usage_error_that_names_it(given):
    result = CliRunner().invoke(serve, given)
    assert result.exit_code == 2
    assert given[0] in result.output
    assert f"'{given[1]}' came" in result.output


def test_a_variable_out_of_bounds_is_a_usage_error_too(monkeypatch):
    monkeypatch.setenv("TENCROP_MAX_QUEUE_ROWS", "none")
    result = CliRunner().invoke(serve, [])
    assert result.exit_code == 2
    assert "--max-queue-rows" in result.output
