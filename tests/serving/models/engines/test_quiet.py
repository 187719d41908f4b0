"""What is kept off standard error while TensorFlow is imported, and what is not."""

import os

import pytest

from serving.models.engines.quiet import chatter_kept_back

TENSORFLOWS = "2026-11-26 20:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.\n"
OURS = "20:00:00 WARNING serving.x lenet5 version 3 is not served\n"


def test_what_others_write_meanwhile_is_shown_afterwards(capfd):
    with chatter_kept_back():
        os.write(2, (TENSORFLOWS + OURS).encode())
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == OURS


def test_where_the_import_fails_everything_is_shown(capfd):
    def fails():
        with chatter_kept_back():
            os.write(2, TENSORFLOWS.encode())
            raise ImportError

    with pytest.raises(ImportError):
        fails()
    assert capfd.readouterr().err == TENSORFLOWS
