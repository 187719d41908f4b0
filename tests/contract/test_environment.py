"""Clients in an environment of their own: without it their tests fail, and say how to make it."""

import pytest

from tests.contract import environment


def test_without_the_environment_a_test_fails_and_says_how_to_make_it(monkeypatch, tmp_path):
    monkeypatch.setenv("TENCROP_CLIENTS_PYTHON", str(tmp_path / "python"))
    with pytest.raises(pytest.fail.Exception, match=r"make \.venv/clients"):
        environment.python()


@pytest.mark.parametrize("script", ["triton.py", "kserve_client.py"])
def test_checks_of_a_script_are_found_without_importing_it(script):
    assert all(name.startswith(("grpc_", "http_", "rest_")) for name in environment.checks_in(script))
    assert len(environment.checks_in(script)) > 5
