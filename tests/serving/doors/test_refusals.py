"""What the gRPC door says to requests that are at fault: the right status, the rule, what came and the way out."""

import grpc
import numpy as np
import pytest

from protos import classification_pb2 as pb
from tests.serving.picture_files import file_of, noise, pretending

NOT_FOUND, INVALID = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
ENCODED = file_of(noise(16, 20))
UINT8, FLOAT32 = pb.Tensor.DATA_TYPE_UINT8, pb.Tensor.DATA_TYPE_FLOAT32


def spec(views: int = pb.VIEWS_UNSPECIFIED, **fields) -> pb.ClassifyRequest:
    return pb.ClassifyRequest(model=pb.ModelSpec(**{"name": "shades", **fields}), encoded=ENCODED, views=views)


def asked(**fields) -> pb.ClassifyRequest:
    return pb.ClassifyRequest(model=pb.ModelSpec(name="shades"), **{"encoded": ENCODED, **fields})


def tensor(data_type, shape, content) -> pb.ClassifyRequest:
    return asked(encoded=None, tensor=pb.Tensor(data_type=data_type, shape=shape, content=content))


def floats(*samples) -> bytes:
    return np.resize(np.array(samples, "<f4"), 25).tobytes()


REFUSED = {
    "an unknown model": (spec(name="shade"), NOT_FOUND, "'shade' is not, ['choir', 'greys', 'shades', 'tones'] are"),
    "an unknown version": (spec(version=9), NOT_FOUND, "version 9 is not, versions [2, 1] are"),
    "version 0": (spec(version=0), NOT_FOUND, "version 0 is not"),
    "an unknown label": (spec(version_label="beta"), NOT_FOUND, "no label 'beta', it has ['production']"),
    "a version of an ensemble": (spec(name="choir", version=1), INVALID, "An ensemble has no versions"),
    "top_k 0": (asked(top_k=0), INVALID, "top_k is from 1 to the model's 6 classes; 0 came"),
    "top_k above the classes": (asked(top_k=7), INVALID, "top_k is from 1 to the model's 6 classes; 7 came"),
    "top_k beyond measure": (asked(top_k=2**32 - 1), INVALID, "4294967295 came"),
    "views that there are not": (
        asked(views=10),
        INVALID,
        "VIEWS_GRID, VIEWS_INCEPTION_144, VIEWS_DENSE, VIEWS_BOXES; number 10",
    ),
    "dense views of a model without them": (
        spec(version=1, views=pb.VIEWS_DENSE),
        INVALID,
        "fully convolutional form; shades has none. Ask for other views",
    ),
    "dense views of an ensemble of which one has them": (
        spec(name="choir", views=pb.VIEWS_DENSE),
        INVALID,
        "shades, tones, greys has none",
    ),
    "dense views of a strip": (
        asked(views=pb.VIEWS_DENSE, encoded=file_of(noise(10, 41))),
        INVALID,
        "at most 4 times its shorter; 41x10 came",
    ),
    "boxes without any": (asked(views=pb.VIEWS_BOXES), INVALID, "VIEWS_BOXES are 1 to 150 boxes; 0 came"),
    "boxes beside other views": (asked(boxes=[pb.Box(bottom=1, right=1)]), INVALID, "1 came with VIEWS_SINGLE"),
    "a box of nothing": (asked(views=pb.VIEWS_BOXES, boxes=[pb.Box()]), INVALID, "box 1 has top 0, left 0, bottom 0"),
    "a box of a few pixels": (
        asked(views=pb.VIEWS_BOXES, boxes=[pb.Box(bottom=1, right=0.1)]),
        INVALID,
        "box 1 has 2x16 of the picture's 20x16",
    ),
    "a confidence beyond 1": (asked(min_confidence=1.5), INVALID, "min_confidence is a probability, from 0 to 1; 1.5"),
    "a confidence that is no number": (asked(min_confidence=float("nan")), INVALID, "from 0 to 1; nan came"),
    "a vote that there is not": (asked(vote=-1), INVALID, "A vote is one of VOTE_MEAN_PROBABILITY"),
    "no picture": (asked(encoded=None), INVALID, "A picture has bytes; none came"),
    "an empty picture": (asked(encoded=b""), INVALID, "A picture has bytes; none came"),
    "not a picture": (asked(encoded=b"MZ\x90" * 99), INVALID, "Convert the file, or send its samples as a tensor"),
    "a truncated picture": (asked(encoded=ENCODED[:-300]), INVALID, "Send the complete file"),
    "a picture of one pixel": (asked(encoded=file_of(noise(1, 1))), INVALID, "1x1 came"),
    "a strip": (asked(encoded=file_of(noise(4, 400))), INVALID, "400x4 came. Crop it"),
    "too many bytes": (asked(encoded=bytes(50_001)), INVALID, "at most 50000 bytes; 50001 came"),
    "an empty tensor": (asked(encoded=None, tensor=pb.Tensor()), INVALID, "UINT8 or FLOAT32; number 0 came"),
    "an unknown data type": (tensor(7, [5, 5], bytes(25)), INVALID, "number 7 came"),
    "a tensor of rank 4": (tensor(UINT8, [1, 5, 5, 3], bytes(75)), INVALID, "[1, 5, 5, 3] came"),
    "a tensor of negative sides": (tensor(UINT8, [-5, -5], bytes(25)), INVALID, "[-5, -5] came"),
    "a tensor without pixels": (tensor(UINT8, [0, 0, 3], b""), INVALID, "[0, 0, 3] came"),
    "a tensor of huge sides": (tensor(UINT8, [2**62, 2**62], b""), INVALID, "at most 33554432 pixels"),
    "a tensor of too few bytes": (tensor(UINT8, [5, 5, 3], bytes(74)), INVALID, "has 75 bytes; 74 came"),
    "a tensor of too many bytes": (tensor(FLOAT32, [5, 5], bytes(101)), INVALID, "has 100 bytes; 101 came"),
    "NaN": (tensor(FLOAT32, [5, 5], floats(0.5, np.nan)), INVALID, "samples from 0 to 1"),
    "infinity": (tensor(FLOAT32, [5, 5], floats(0.5, np.inf)), INVALID, "samples from 0 to 1"),
    "floats from 0 to 255": (tensor(FLOAT32, [5, 5], floats(0, 255)), INVALID, "Scale them, or send uint8"),
} | {
    f"a {format} of 20,000x20,000": (asked(encoded=encoded), INVALID, "20000x20000 came. Resize it")
    for format, encoded in pretending(20_000, 20_000).items()
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_request_at_fault_is_told_why(served, what):
    request, status, message = REFUSED[what]
    code, details = served.refusal(request)
    assert code == status
    assert message in details


def test_a_message_over_the_size_limit_is_refused_before_it_is_read(served):
    code, _ = served.refusal(asked(encoded=bytes(50_000 + 2 * 2**20)))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_server_that_refused_everything_still_answers(served):
    for request, _, _ in REFUSED.values():
        served.refusal(request)
    assert served.classify(asked()).predictions


def test_no_refusal_tells_of_the_servers_files(served, models_root):
    for request, _, _ in REFUSED.values():
        details = served.refusal(request)[1]
        assert str(models_root) not in details
        assert "Traceback" not in details
        assert ".py" not in details
