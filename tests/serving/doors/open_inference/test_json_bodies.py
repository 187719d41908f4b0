"""Bodies of any size and shape become a question or a refusal, and answers that are too long to list are not."""

import json
from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos.classification_pb2 import ModelSpec
from serving.aside import MANY_ELEMENTS
from serving.doors.open_inference import json_tensors
from serving.doors.open_inference.json_bodies import Binary, body_of, question_in
from serving.doors.open_inference.question import Reply
from serving.doors.open_inference.tensors import MOST_LISTED, MOST_STRINGS, Tensor
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


def test_many_strings_are_refused_though_each_tensor_has_few():
    half = MOST_STRINGS // 2 + 1
    inputs = [{"name": name, "datatype": "BYTES", "shape": [half], "data": [""] * half} for name in "ab"]
    with pytest.raises(InvalidRequest, match=f"{2 * half} came"):
        question_in(ModelSpec(), json.dumps({"inputs": inputs}).encode(), None)


@pytest.mark.parametrize("size", [0, 1, MANY_ELEMENTS, 2 * MANY_ELEMENTS + 1])
def test_answers_of_any_length_are_listed_whole(size):
    numbers, texts = np.arange(size), np.array([f'"{each}",' for each in range(size)], object)
    encoded = np.array([each.encode() for each in texts], object)
    reply = Reply("shades", "1", "7", [Tensor("numbers", numbers), Tensor("texts", encoded)])
    body, length = body_of(reply, Binary(by_default=False, of_outputs={}))
    described = {"numbers": ("INT64", numbers), "texts": ("BYTES", texts)}
    outputs = [
        {"name": name, "datatype": datatype, "shape": [size], "data": data.tolist()}
        for name, (datatype, data) in described.items()
    ]
    assert json.loads(body) == {"model_name": "shades", "model_version": "1", "id": "7", "outputs": outputs}
    assert length is None


def test_no_call_of_json_writes_so_much_that_other_threads_wait_long(monkeypatch):
    lengths, dumps = [], json.dumps
    monkeypatch.setattr(json_tensors, "json", SimpleNamespace(dumps=lambda of: lengths.append(len(of)) or dumps(of)))
    reply = Reply("shades", "1", "", [Tensor("numbers", np.zeros(2 * MANY_ELEMENTS + 1))])
    body_of(reply, Binary(by_default=False, of_outputs={}))
    assert lengths == [MANY_ELEMENTS, MANY_ELEMENTS, 1]


def test_long_answers_come_in_binary_or_not_at_all():
    reply = Reply("shades", "1", "", [Tensor("logits", np.zeros((2, MOST_LISTED), np.float32))])
    with pytest.raises(InvalidRequest, match="binary data"):
        body_of(reply, Binary(by_default=False, of_outputs={}))
    body, length = body_of(reply, Binary(by_default=True, of_outputs={}))
    assert len(body) == length + 4 * 2 * MOST_LISTED
