"""A server with a cache: who is answered from it, with what, and what is counted."""

import numpy as np
import pytest

from protos import classification_pb2 as pb
from protos.open_inference_pb2 import ModelStatisticsRequest
from protos.open_inference_pb2_grpc import GRPCInferenceServiceStub
from serving.client import Client
from tests.serving.doors.fake_models import BRIGHT, DARK, asked, label_of
from tests.serving.doors.open_inference.asking import about_pictures
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.picture_files import file_of
from tests.serving.running import of_engines

HITS, MISSES = "tencrop_cache_hits_total", "tencrop_cache_misses_total"


@pytest.fixture
def engine():
    return FreeEngine()


@pytest.fixture
def server(loop, engine):
    choir, cache = {"choir": {"shades": 1, "tones": 2}}, {"cache_bytes": 2**20}
    with of_engines(loop, choir, settings=cache, shades=engine, tones=FreeEngine()) as one:
        yield one


def test_an_equal_request_is_answered_without_the_engine(server, engine):
    first, second = (server.classify(asked(DARK, views=pb.VIEWS_TEN)) for _ in range(2))
    assert (first.cached, second.cached) == (False, True)
    assert sum(map(len, engine.batches)) == 10
    assert (second.timing, second.rows_used) == (pb.Timing(), 0)
    for answer in (first, second):
        for spent in ("cached", "timing", "rows_used"):
            answer.ClearField(spent)
    assert second == first


def test_statistics_of_the_open_inference_protocol_count_requests_that_are_known_whole(server):
    stub = GRPCInferenceServiceStub(server.channel)

    def hits(*levels: int) -> int:
        files = [file_of(np.full((8, 8), level, np.uint8)) for level in levels]
        stub.ModelInfer(about_pictures(*files), timeout=PATIENCE)
        (stats,) = stub.ModelStatistics(ModelStatisticsRequest(name="shades"), timeout=PATIENCE).model_stats
        assert (stats.inference_stats.cache_hit.ns > 0) == (stats.inference_stats.cache_hit.count > 0)
        return stats.inference_stats.cache_hit.count

    assert [hits(DARK), hits(DARK, BRIGHT), hits(BRIGHT, DARK), hits(DARK)] == [0, 0, 1, 2]


def test_another_picture_is_asked_about(server, engine):
    labels = [server.classify(asked(level)).label for level in (DARK, BRIGHT)]
    assert labels == [label_of(DARK), label_of(BRIGHT)]
    assert len(engine.batches) == 2


@pytest.mark.parametrize("name", ["shades", "choir"])
def test_a_cached_answer_is_shaped_as_its_request_asks(server, name):
    wish = {"top_k": 2, "min_confidence": 1.0, "with_view_scores": True, "with_member_scores": True}
    server.classify(asked(DARK, name, views=pb.VIEWS_FIVE))
    cached = server.classify(asked(DARK, name, views=pb.VIEWS_FIVE, **wish))
    assert cached.cached
    assert (len(cached.predictions), cached.label, len(cached.view_scores)) == (2, "", 5)
    assert "was asked for" in cached.abstained
    assert [each.name for each in cached.member_scores] == (["shades"] if name == "shades" else ["shades", "tones"])


def test_a_request_at_fault_is_refused_although_its_picture_is_known(server):
    server.classify(asked(DARK))
    code, message = server.refusal(asked(DARK, top_k=9))
    assert code.name == "INVALID_ARGUMENT"
    assert "top_k" in message


def test_a_failure_is_not_kept(loop):
    failing = FreeEngine()
    score, failing.score = failing.score, lambda rows: 1 / 0
    with of_engines(loop, settings={"cache_bytes": 2**20}, shades=failing) as server:
        server.refusal(asked(DARK))
        failing.score = score
        assert not server.classify(asked(DARK)).cached


def test_hits_misses_and_bytes_are_counted(server):
    for level in (DARK, BRIGHT, DARK, DARK):
        server.classify(asked(level))
    assert (server.sample(HITS), server.sample(MISSES)) == (2, 2)
    assert 0 < server.sample("tencrop_cache_bytes") < 2**20


def test_a_cached_answer_is_a_prediction_but_no_stage_of_it_is_timed(server):
    for _ in range(3):
        server.classify(asked(DARK))
    assert server.sample("tencrop_predictions_total", model="shades", label=label_of(DARK)) == 3
    for stage in ("decode", "view", "queue", "compute", "vote"):
        assert server.sample("tencrop_stage_duration_seconds_count", stage=stage) == 1


def test_without_the_setting_nothing_is_kept(loop, engine):
    with of_engines(loop, shades=engine) as server:
        assert not any(server.classify(asked(DARK)).cached for _ in range(2))
        assert len(engine.batches) == 2
        assert server.sample(MISSES) == 0


def test_a_client_is_told_whether_its_answer_is_cached(server):
    picture = np.full((8, 8), DARK, np.uint8)
    with Client(server.address) as client:
        answers = [client.classify(picture, model="shades") for _ in range(2)]
    assert [answer.cached for answer in answers] == [False, True]
