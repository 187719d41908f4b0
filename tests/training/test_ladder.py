import numpy as np

from protos.model_card_pb2 import ModelCard, Provenance
from training import ladder, recipes
from training.architectures import catalogue
from training.evaluate import Scores
from training.ladder import LADDER, README, rungs, steps


def scores_of_errors(errors: list[float], pictures: int = 100) -> Scores:
    """Members that are wrong about different pictures, so often, and sure of what they say."""
    logits = np.zeros((pictures, len(errors), 10, 2), np.float32)
    logits[..., 0] = 1
    start = 0
    for member, error in enumerate(errors):
        count = round(error * pictures)
        logits[start : start + count, member] = [0, 1]
        start += count
    return Scores("some", logits, np.zeros(pictures, np.int32))


def test_every_family_has_a_rung_with_a_recipe_of_its_own():
    families = {row.builder.partition(":")[0] for row in catalogue.ARCHITECTURES}
    by_name = {row.name: row.builder.partition(":")[0] for row in catalogue.ARCHITECTURES}
    assert {by_name[rung.architecture] for rung in LADDER} == families
    for rung in LADDER:
        assert ladder.DATA_SET in recipes.RECIPES[rung.architecture]


def test_a_rung_shows_what_it_took_beside_the_published_error():
    made = Provenance(trainable_parameters=1234, training_seconds=90, training_cpu_seconds=150)
    rows = rungs(scores_of_errors([0.08] + [0.1] * 6), [ModelCard(provenance=made)] * len(LADDER))
    assert len(rows) == 2 + len(LADDER)
    cells = [cell.strip() for cell in rows[2].split("|")[1:-1]]
    assert cells[:3] == ["lenet5", "1,234", "0.4 M"]
    assert cells[4:8] == ["1.5", "2.5", "8.00", "8.00"]


def test_steps_lead_from_the_best_network_to_all_of_them():
    rows = steps(scores_of_errors([0.08, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1]))
    assert rows[2:] == [
        "| the best network, alexnet, one view | 5.00 |  |",
        "| its ten views | 5.00 | +0.00 |",
        "| all 7 networks, one view | 0.00 | -5.00 |",
        "| all 7 networks, ten views | 0.00 | +0.00 |",
    ]


def test_the_page_has_a_place_for_the_tables():
    assert README.read_text().count("<!-- ladder table: begin -->\n") == 1
