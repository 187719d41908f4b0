import pytest
from rich.console import Console

from training import job
from training.durable import alone_in
from training.errors import RunTaken


@pytest.fixture
def train(tiny_recipe, tiny_data, tmp_path, run_directory):
    def train(run_directory=run_directory):
        return job.train(tiny_recipe, tiny_data, 0, tmp_path / "models" / "mine", run_directory, Console(quiet=True))

    return train


def test_two_runs_do_not_share_a_directory(train, run_directory):
    with alone_in(run_directory, wait=False), pytest.raises(RunTaken, match="another one does"):
        train()


def test_a_run_keeps_others_out_until_it_is_published(train, run_directory, monkeypatch):
    publish, alone = job.publish_trained, []

    def look_and_publish(*arguments):
        with alone_in(run_directory, wait=False) as is_alone:
            alone.append(is_alone)
        return publish(*arguments)

    monkeypatch.setattr(job, "publish_trained", look_and_publish)
    train()
    assert alone == [False]
    assert not (run_directory / job.CHECKPOINT).exists()


def test_a_checkpoint_that_was_tidied_up_meanwhile_is_not_missed(train, run_directory, monkeypatch):
    publish = job.publish_trained

    def tidy_up_and_publish(*arguments):
        (run_directory / job.CHECKPOINT).unlink()
        return publish(*arguments)

    monkeypatch.setattr(job, "publish_trained", tidy_up_and_publish)
    assert train().directory.name == "1"


def test_a_run_in_the_directory_of_the_model_is_refused_and_does_not_wait_for_itself(train, tmp_path):
    with pytest.raises(RunTaken, match="is the model's"):
        train(tmp_path / "models" / "other" / ".." / "mine")
