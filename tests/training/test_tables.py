import numpy as np

from training.evaluate import Scores
from training.tables import DATA_SET, README, table


def test_the_table_has_members_alone_and_together():
    logits = np.zeros((4, 2, 10, 3), np.float32)
    logits[:, 0, :, 0] = 1  # one member always says 0
    logits[:, 1, :, 1] = 2  # the other 1, and louder
    rows = table(Scores("some", logits, np.array([0, 0, 0, 1])))
    assert rows == [
        "| error % | single | mirror | five | ten |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| one network (mean of 2) | 50.00 ± 35.36 | 50.00 ± 35.36 | 50.00 ± 35.36 | 50.00 ± 35.36 |",
        "| ensemble of 2 | 75.00 | 75.00 | 75.00 | 75.00 |",
    ]


def test_the_page_has_a_place_for_the_table():
    text = README.read_text()
    assert text.count(f"<!-- {DATA_SET} table: begin -->") == text.count(f"<!-- {DATA_SET} table: end -->") == 1
