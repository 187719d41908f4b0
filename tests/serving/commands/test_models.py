"""tencrop models, against a real server."""

from click.testing import CliRunner

from serving.commands.models import models


def test_everything_that_is_served_is_listed(served):
    result = CliRunner(env={"COLUMNS": "200"}).invoke(models, ["--server", served.address])
    assert result.exit_code == 0
    rows = {line.split()[0]: " ".join(line.split()) for line in result.stdout.splitlines()}
    assert rows == {
        "name": "name versions labels votes with vote classes",
        "choir": "choir shades 1 + tones 1 + greys 1 mean-logit 6",
        "greys": "greys 1 mean-probability 6",
        "shades": "shades 2, 1 production=1 mean-probability 6",
        "tones": "tones 1 majority 6",
    }
