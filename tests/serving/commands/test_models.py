"""tencrop models, against a real server."""

from click.testing import CliRunner

from serving.commands.models import models
from serving.models.catalogue import ServedModel
from serving.models.declaration import CanaryDeclaration, TrialDeclaration
from serving.models.repository import Repository
from tests.serving.fakes import fake_servable
from tests.serving.running import running


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


def test_what_is_on_trial_is_listed_and_how_it_does_and_why_it_was_rolled_back(loop):
    declared = CanaryDeclaration(version=2, percent=5)
    servables = {version: fake_servable("shades", version) for version in (1, 2)}
    served = ServedModel("shades", servables, canary=declared, shadow=TrialDeclaration(version=2, percent=20))
    repository = Repository({"shades": served}, {})
    trial, shadow = repository.trials.canary_of(served), repository.trials.shadow_of(served)

    def listed() -> list[str]:
        return CliRunner().invoke(models, ["--server", server.address]).stdout.splitlines()[-2:]

    with running(loop, lambda *_: repository) as server:
        trial.canary.add(wrong=True)
        trial.stable.add(wrong=False)
        shadow.pairs.add(wrong=False)
        assert listed() == [
            "shades 2 is a canary: 5 % of calls; 1 of 1 failed, of version 1's 0 of 1",
            "shades 2 is a shadow: 20 % of version 1's calls; 0 of 1 pictures disagreed",
        ]
        for _ in range(2):
            trial.canary.add(wrong=True)
        repository.trials.judge(trial)
        assert "shades 2 is a canary: rolled back, it gets no calls: A canary fails at most" in listed()[0]
        assert "3 of 3" in listed()[0]
