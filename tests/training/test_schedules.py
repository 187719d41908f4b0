from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.fit import fit
from training.recipes.recipe import Recipe
from training.schedules import learning_rate, plateau_rate

RECIPE = Recipe(learning_rate=0.5, epochs=6, decay=0.1)
STEPS = 5
PLATEAU = replace(RECIPE, schedule="plateau", validation=0.1, patience=2)


def rates(recipe, steps=STEPS):
    """The learning rate of every step."""
    return np.asarray(learning_rate(recipe, steps)(np.arange(recipe.epochs * steps))).tolist()


def test_steps_fall_with_the_first_step_after_a_milestone():
    found = rates(replace(RECIPE, schedule="steps", milestones=(2, 4)))
    np.testing.assert_allclose(found, [0.5] * 10 + [0.05] * 10 + [0.005] * 10, rtol=1e-6)


def test_milestones_are_counted_from_the_beginning_and_not_from_the_end_of_the_warmup():
    found = rates(replace(RECIPE, schedule="steps", milestones=(2, 4), warmup=1))
    np.testing.assert_allclose(found[5:], [0.5] * 5 + [0.05] * 10 + [0.005] * 10, rtol=1e-6)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "steps"])
def test_a_warmup_rises_in_equal_steps_to_the_rate(schedule):
    found = rates(replace(RECIPE, schedule=schedule, warmup=2))
    np.testing.assert_allclose(found[:10], [0.05 * step for step in range(1, 11)], rtol=1e-6)
    assert found[10] == pytest.approx(0.5)


@given(warmup=st.integers(0, 2), epochs=st.integers(3, 6), steps=st.integers(2, 20))
def test_a_cosine_falls_without_a_rest_to_about_nothing_in_the_last_step(warmup, epochs, steps):
    found = rates(replace(RECIPE, warmup=warmup, epochs=epochs), steps)[warmup * steps :]
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(0.5)
    after = len(found)
    assert found[-1] == pytest.approx(0.25 * (1 + np.cos(np.pi * (after - 1) / after)), abs=1e-6)


def test_a_constant_rate_is_one():
    assert learning_rate(replace(RECIPE, schedule="constant"), STEPS) == 0.5


@pytest.mark.parametrize(
    ("errors", "rate"),
    [
        ([], 0.5),
        ([0.4], 0.5),
        ([0.4, 0.4], 0.5),  # it has stood for one epoch
        ([0.4, 0.4, 0.5], 0.05),  # for two
        ([0.4, 0.4, 0.5, 0.4], 0.05),  # which are counted anew
        ([0.4, 0.4, 0.5, 0.4, 0.4], 0.005),
        ([0.4, 0.5, 0.3, 0.3], 0.5),
        ([0.4, 0.5, 0.5, 0.3, 0.3], 0.05),
    ],
)
def test_a_plateau_lowers_the_rate_when_the_lowest_error_has_stood_for_the_epochs_of_patience(errors, rate):
    assert plateau_rate(PLATEAU, errors) == pytest.approx(rate)


@given(errors=st.lists(st.floats(0, 1), max_size=40), patience=st.integers(1, 5))
def test_a_plateau_never_raises_the_rate_and_lowers_it_once_in_patience_epochs_at_most(errors, patience):
    recipe = replace(PLATEAU, patience=patience)
    history = [plateau_rate(recipe, errors[:count]) for count in range(len(errors) + 1)]
    assert history == sorted(history, reverse=True)
    falls = np.flatnonzero(np.diff(history))
    assert (np.diff(falls) >= patience).all()


def test_a_plateau_that_was_interrupted_goes_on_from_the_errors_before(tiny_recipe, tiny_data, tmp_path):
    recipe = replace(tiny_recipe, schedule="plateau", validation=0.25, patience=1, epochs=4, learning_rate=1e-9)
    whole = fit(recipe, tiny_data, 0, tmp_path / "whole")
    # A rate so small changes no error: it falls with every epoch after the second.
    np.testing.assert_allclose([row["learning_rate"] for row in whole.history], [1e-9, 1e-9, 1e-10, 1e-11], rtol=1e-5)

    fit_until(3, recipe, tiny_data, tmp_path / "stopped")
    resumed = fit(recipe, tiny_data, 0, tmp_path / "stopped")
    for row, other in zip(resumed.history, whole.history, strict=True):
        assert (row["learning_rate"], row["val_loss"]) == (other["learning_rate"], other["val_loss"])


def fit_until(epoch, recipe, data, directory):
    from tests.training.test_fit import InterruptAfterEpoch

    with pytest.raises(KeyboardInterrupt):
        fit(recipe, data, 0, directory, [InterruptAfterEpoch(epoch - 1)])
