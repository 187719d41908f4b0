"""Bodies of any size and shape become a question or a refusal, and answers that are too long to list are not."""

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos.classification_pb2 import ModelSpec
from serving.doors.open_inference.json_bodies import Binary, body_of, question_in
from serving.doors.open_inference.question import Reply
from serving.doors.open_inference.tensors import MOST_LISTED, Tensor
from serving.errors import InvalidRequest

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
INPUT = st.fixed_dictionaries({"name": st.just("pictures"), "datatype": ANY, "shape": ANY}, optional={"data": ANY})
REQUEST = st.fixed_dictionaries(
    {"inputs": st.lists(INPUT, max_size=2)}, optional={"id": ANY, "parameters": ANY, "outputs": ANY}
)
BODIES = st.binary(max_size=60) | (ANY | REQUEST).map(lambda body: json.dumps(body).encode())


@given(BODIES, st.text(max_size=4) | st.none())
def test_whatever_comes_is_a_question_or_refused(body, length):
    with suppress(InvalidRequest):
        question_in(ModelSpec(), body, length)


def test_many_samples_are_refused_before_they_are_parsed():
    body = b'{"inputs": [{"name": "pictures", "data": [' + b"1," * (2 * MOST_LISTED + 1) + b"not even JSON"
    with pytest.raises(InvalidRequest, match="Send them as binary data"):
        question_in(ModelSpec(), body, None)


def test_long_answers_come_in_binary_or_not_at_all():
    reply = Reply("shades", "1", "", [Tensor("logits", np.zeros((2, MOST_LISTED), np.float32))])
    with pytest.raises(InvalidRequest, match="binary data"):
        body_of(reply, Binary(by_default=False, of_outputs={}))
    body, length = body_of(reply, Binary(by_default=True, of_outputs={}))
    assert len(body) == length + 4 * 2 * MOST_LISTED
