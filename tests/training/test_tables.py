import numpy as np
import pytest

from training.evaluate import Scores
from training.tables import BEGIN, END, README, table, write_between


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


def test_only_what_stands_between_the_markers_is_replaced():
    text = "before\n<begin>\nold\n<end>\nafter"
    assert write_between(text, "<begin>\n", "<end>\n", "new\n") == "before\n<begin>\nnew\n<end>\nafter"
    with pytest.raises(ValueError, match="one is missing"):
        write_between("before\n<begin>\nold", "<begin>\n", "<end>\n", "new\n")


def test_the_page_has_a_place_for_the_table():
    text = README.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
