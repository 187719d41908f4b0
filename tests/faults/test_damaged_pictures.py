"""Damaged pictures by the thousand, over the wire: answered, or refused as the caller's fault."""

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protos import classification_pb2 as pb
from tests.faults.asking import statuses
from tests.serving.damaged_files import FILES, damaged_files
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.running import Running

DOCUMENTED = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
# Pillow warns of damaged metadata, and reads on.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::ResourceWarning")


def statuses_of(server: Running, files: list[bytes]) -> set[grpc.StatusCode]:
    requests = [pb.ClassifyRequest(model=pb.ModelSpec(name="shades"), encoded=file) for file in files]
    return set(statuses([server.stub.Classify.future(request, timeout=PATIENCE) for request in requests]))


@pytest.fixture
def server(unharmed):
    # A damaged header may promise millions of pixels; refusing those early keeps the test quick.
    with unharmed(settings={"max_picture_pixels": 20_000}, shades=FreeEngine()) as server:
        yield server


def test_files_with_random_damage_are_answered_or_the_callers_fault(server):
    @settings(max_examples=50)
    @given(st.lists(damaged_files(), min_size=20, max_size=20))
    def check(files):
        assert statuses_of(server, files) <= DOCUMENTED

    check()


def test_files_cut_anywhere_are_answered_or_the_callers_fault(server):
    for file in FILES:
        cut = [file[:length] for length in range(0, len(file), max(1, len(file) // 40))]
        assert statuses_of(server, cut) <= DOCUMENTED
