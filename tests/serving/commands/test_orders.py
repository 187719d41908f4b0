"""tencrop models load, unload, label, promote and rollback, against a real server."""

import pytest
from click.testing import CliRunner

from serving.commands.models import models
from serving.errors import NotServed
from tests.serving.running import of_models
from tests.serving.tiny import TinyModel


@pytest.fixture
def run(tmp_path, loop):
    """Gives a server of shades 1 and 2 an order, and gives what is printed."""
    for version in (1, 2):
        TinyModel("shades", version, seed=version).publish(tmp_path)
    with of_models(tmp_path, loop, max_batch_size=1) as server:

        def run(*order: str) -> list[str]:
            result = CliRunner().invoke(models, [*order, "--admin", f"127.0.0.1:{server.server.admin_port}"])
            if result.exception:
                raise result.exception
            return result.stdout.splitlines()

        yield run


def test_each_order_shows_how_the_model_stands_then(run):
    assert run("load", "shades", "1") == ["shades 2  AVAILABLE", "shades 1  AVAILABLE"]
    assert run("promote", "shades", "1") == ["shades 2  AVAILABLE", "shades 1  AVAILABLE  production"]
    assert run("promote", "shades", "2")[0] == "shades 2  AVAILABLE  production"
    assert run("rollback", "shades")[1] == "shades 1  AVAILABLE  production"
    assert run("label", "shades", "canary", "2")[0] == "shades 2  AVAILABLE  canary"
    assert run("label", "shades", "canary")[0] == "shades 2  AVAILABLE"


def test_a_refresh_says_what_was_found(run, tmp_path):
    assert run("refresh") == ["nothing new"]
    TinyModel("shades", 3, seed=3).publish(tmp_path)
    (tmp_path / "shades" / "4").mkdir()
    assert run("refresh", "shades") == [
        "shades 3  new",
        "shades 4  new",
        "shades 4  waits  saved_model.pb is not there yet",
    ]
    with pytest.raises(NotServed, match="nothing of 'tones' does"):
        run("refresh", "tones")


def test_an_order_that_is_refused_says_why(run):
    with pytest.raises(NotServed, match="A version has to lie in"):
        run("promote", "shades", "9")
    with pytest.raises(NotServed, match="A rollback follows a promotion"):
        run("rollback", "shades")
