"""The choice between engines, with engines of numpy and a clock that they move themselves."""

import logging

import numpy as np
import pytest

from serving.errors import ModelRejected
from serving.models.engines.choice import Trial, choose, fastest, measure
from tests.serving.fakes import FakeClock, FreeEngine

BATCHES = [np.zeros((size, 2, 2, 1), np.uint8) for size in (1, 8)]


class Remembering:
    """A memory of one name."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name
        self.measured = None

    def recall(self):
        return self.name

    def keep(self, name, measured):
        self.name, self.measured = name, measured


class Bench:
    """Engines of given speeds; those in `wrong` are not accepted."""

    def __init__(self, wrong=(), **seconds) -> None:
        self.clock = FakeClock()
        self.engines = {name: self._engine(*each) for name, each in seconds.items()}
        self.loaded: list[str] = []
        self._wrong = {id(self.engines[name]) for name in wrong}

    def choose(self, memory) -> str:
        loads = {name: lambda name=name: self._load(name) for name in self.engines}
        chosen = choose("shades 1", loads, Trial(self._accept, BATCHES, self.clock), memory)
        return next(name for name, engine in self.engines.items() if engine is chosen)

    def _engine(self, of_a_batch, of_a_row):
        def score(rows):
            self.clock.advance(of_a_batch + of_a_row * len(rows))
            return np.zeros((len(rows), 2))

        return FreeEngine(score)

    def _load(self, name):
        self.loaded.append(name)
        return self.engines[name]

    def _accept(self, engine):
        if id(engine) in self._wrong:
            raise ModelRejected("It drifts by 0.5.")


def test_the_fastest_engine_is_chosen_and_kept():
    memory = Remembering()
    assert Bench(slow=(2, 1), fast=(1, 1)).choose(memory) == "fast"
    assert memory.name == "fast"
    assert memory.measured == {"slow": {1: 3, 8: 10}, "fast": {1: 2, 8: 9}}


def test_the_choice_is_said_in_one_line_with_its_numbers(caplog):
    with caplog.at_level(logging.INFO):
        Bench(slow=(0.002, 0.001), fast=(0.001, 0.001)).choose(Remembering())
    assert caplog.messages == ["shades 1 runs on fast: slow 3 ms for 1, 10 ms for 8; fast 2 ms for 1, 9 ms for 8"]


def test_what_was_measured_before_is_not_measured_again():
    bench = Bench(slow=(2, 1), fast=(1, 1))
    assert bench.choose(Remembering("slow")) == "slow"
    assert bench.loaded == ["slow"]
    assert not bench.engines["slow"].batches


def test_an_engine_that_is_not_accepted_any_more_gives_way_though_it_was_fastest():
    assert Bench(fast=(1, 1), slow=(2, 1), wrong=["fast"]).choose(Remembering("fast")) == "slow"


def test_an_engine_that_is_gone_is_forgotten():
    assert Bench(slow=(2, 1), fast=(1, 1)).choose(Remembering("gone")) == "fast"


def test_an_engine_with_wrong_answers_is_passed_over_and_the_log_says_why(caplog):
    bench = Bench(slow=(2, 1), fast=(1, 1), wrong=["fast"])
    assert bench.choose(Remembering()) == "slow"
    assert caplog.messages == ["shades 1 does not run on fast: It drifts by 0.5."]
    assert not bench.engines["slow"].batches, "one engine alone needs no measurement"


def test_where_every_engine_is_wrong_each_reason_is_given():
    with pytest.raises(ModelRejected, match=r"slow: It drifts by 0.5. fast: It drifts by 0.5."):
        Bench(slow=(2, 1), fast=(1, 1), wrong=["slow", "fast"]).choose(Remembering())


def test_every_size_counts_alike():
    assert fastest({"half for one": {1: 1, 64: 100}, "a third less for many": {1: 2, 64: 67}}) == "half for one"


def test_the_first_run_of_a_size_does_not_count():
    clock = FakeClock()
    durations = iter([9.0, 0.03, 0.02, 0.04, 0.03])

    def score(rows):
        clock.advance(next(durations))
        return rows

    assert measure(FreeEngine(score), BATCHES[:1], clock) == {1: pytest.approx(0.02)}
    assert not list(durations), "measuring goes on until a tenth of a second has passed"
