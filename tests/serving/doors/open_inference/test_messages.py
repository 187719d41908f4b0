"""gRPC's messages of any content become a question or a refusal, and replies come back whole."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protos import open_inference_pb2 as pb
from serving.doors.open_inference.messages import question_in, reads_slowly, response_of
from serving.doors.open_inference.question import Reply
from serving.doors.open_inference.tensors import MOST_LISTED, MOST_STRINGS, Tensor
from serving.errors import InvalidRequest
from tests.serving.doors.open_inference.asking import about_rows, outputs_of, rows_for

Input, Output = pb.ModelInferRequest.InferInputTensor, pb.ModelInferRequest.InferRequestedOutputTensor

TEXTS = st.sampled_from(("", "image", "pictures", "UINT8", "BYTES", "FP32", "logits", "1", "classification"))
PARAMETERS = st.dictionaries(
    TEXTS,
    st.builds(pb.InferParameter)
    | st.builds(pb.InferParameter, int64_param=st.integers(-(2**63), 2**63 - 1))
    | st.builds(pb.InferParameter, string_param=TEXTS),
    max_size=2,
)
INPUTS = st.builds(
    pb.ModelInferRequest.InferInputTensor,
    name=TEXTS,
    datatype=TEXTS,
    shape=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3), max_size=5),
    contents=st.builds(pb.InferTensorContents, bytes_contents=st.lists(st.binary(max_size=3), max_size=3)),
    parameters=PARAMETERS,
)
OUTPUTS = st.builds(pb.ModelInferRequest.InferRequestedOutputTensor, name=TEXTS, parameters=PARAMETERS)
REQUESTS = st.builds(
    pb.ModelInferRequest,
    model_version=TEXTS,
    parameters=PARAMETERS,
    inputs=st.lists(INPUTS, max_size=2),
    outputs=st.lists(OUTPUTS, max_size=2),
    raw_input_contents=st.lists(st.binary(max_size=9), max_size=2),
)


@given(REQUESTS)
def test_whatever_comes_is_a_question_or_refused(request_):
    with suppress(InvalidRequest):
        question_in(request_)


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "listed"])
def test_tensors_of_a_reply_come_back_whole(raw):
    tensors = [Tensor("logits", np.eye(2, 3, dtype=np.float32)), Tensor("label", np.array([b"a", b""], object))]
    response = response_of(Reply("shades", "1", "7", tensors), raw)
    assert (response.model_name, response.model_version, response.id) == ("shades", "1", "7")
    assert bool(response.raw_output_contents) == raw
    for name, data in tensors:
        np.testing.assert_array_equal(outputs_of(response)[name], data)


def test_halves_come_raw_however_inputs_came():
    halves = np.array([0.5, 2], np.float16)
    response = response_of(Reply("halves", "1", "", [Tensor("half", halves)]), raw=False)
    assert [bytes(each) for each in response.raw_output_contents] == [halves.tobytes()]
    assert not response.outputs[0].HasField("contents")


def test_long_answers_come_raw_or_not_at_all():
    reply = Reply("shades", "1", "", [Tensor("logits", np.zeros((2, MOST_LISTED), np.float32))])
    with pytest.raises(InvalidRequest, match="send inputs raw"):
        response_of(reply, raw=False)
    assert len(response_of(reply, raw=True).raw_output_contents[0]) == 4 * 2 * MOST_LISTED


def test_many_samples_are_refused_though_each_tensor_has_few():
    request = pb.ModelInferRequest()
    for name in "ab":
        given = request.inputs.add(name=name, datatype="UINT8", shape=[MOST_LISTED // 2 + 1])
        given.contents.uint_contents.extend([0] * given.shape[0])
    with pytest.raises(InvalidRequest, match="Send them raw"):
        question_in(request)


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "listed"])
def test_many_strings_are_refused_though_each_tensor_has_few(raw):
    request = pb.ModelInferRequest()
    for name in "ab":
        given = request.inputs.add(name=name, datatype="BYTES", shape=[MOST_STRINGS // 2 + 1])
        if raw:
            request.raw_input_contents.append(bytes(4 * given.shape[0]))
        else:
            given.contents.bytes_contents.extend([b""] * given.shape[0])
    with pytest.raises(InvalidRequest, match=f"{MOST_STRINGS + 2} came"):
        question_in(request)


@pytest.mark.parametrize(
    "many", [{"inputs": [{}] * 65}, {"outputs": [{}] * 65}, {"parameters": {str(i): {} for i in range(65)}}]
)
def test_more_than_any_model_has_is_refused(many):
    with pytest.raises(InvalidRequest, match="at most 64 inputs, outputs and parameters each; 65 came"):
        question_in(pb.ModelInferRequest(**many))


def test_what_is_read_one_by_one_takes_long_and_numbers_that_come_raw_do_not():
    rows, strings, listed = (
        about_rows(np.zeros((2, 256, 256, 1), np.uint8)),
        pb.ModelInferRequest(),
        pb.ModelInferRequest(),
    )
    strings.inputs.add(datatype="BYTES", shape=[2**15])
    strings.raw_input_contents.append(bytes(2**17))
    listed.inputs.add(datatype="UINT8").contents.uint_contents.extend([0] * 2**17)
    shape = pb.ModelInferRequest(inputs=[Input(shape=[1] * 2**14)])
    parameters = pb.ModelInferRequest(outputs=[Output(parameters={str(name): {} for name in range(2**14)})])
    many = pb.ModelInferRequest(inputs=[Input(shape=[1] * 200)] * 200)
    found = [reads_slowly(each) for each in (rows, strings, listed, shape, parameters, many, InvalidRequest(""))]
    assert found == [False, True, True, True, True, False, False]


def test_samples_that_come_both_raw_and_listed_are_refused():
    request = about_rows(rows_for())
    request.inputs[0].contents.uint_contents.append(1)
    with pytest.raises(InvalidRequest, match="raw or in its contents"):
        question_in(request)


def test_shared_memory_is_refused():
    request = about_rows(rows_for())
    request.inputs[0].parameters["shared_memory_region"].string_param = "a"
    with pytest.raises(InvalidRequest, match="shared_memory_region"):
        question_in(request)


LONG = "x" * 100_000


def with_input(**fields) -> pb.ModelInferRequest:
    request = about_rows(rows_for())
    request.inputs[0].MergeFrom(pb.ModelInferRequest.InferInputTensor(**fields))
    return request


@pytest.mark.parametrize(
    "request_",
    [
        with_input(name=LONG, datatype=LONG),
        with_input(shape=[1] * 100_000),
        with_input(parameters={LONG: pb.InferParameter(bool_param=True)}),
        pb.ModelInferRequest(inputs=[pb.ModelInferRequest.InferInputTensor()] * 1000),
    ],
    ids=["name", "shape", "parameter", "inputs"],
)
def test_a_refusal_repeats_no_more_than_a_line_of_what_came(request_):
    with pytest.raises(InvalidRequest) as error:
        question_in(request_)
    assert len(str(error.value)) < 500
