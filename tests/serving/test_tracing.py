"""Spans of requests, by OpenTelemetry's own SDK."""

import itertools
import subprocess
import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from protos import classification_pb2 as pb
from serving import tracing
from tests.serving.doors.fake_models import DARK, asked
from tests.serving.fakes import PATIENCE, FreeEngine
from tests.serving.loops import eventually
from tests.serving.running import of_engines

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = (("traceparent", f"00-{TRACE}-b7ad6b7169203331-01"), ("x-request-id", "order-66"))
STAGES = ["decode", "view", "queue", "compute", "vote"]
LARGE = pb.ClassifyRequest(
    model=pb.ModelSpec(name="shades"),
    tensor=pb.Tensor(data_type=pb.Tensor.DATA_TYPE_UINT8, shape=[400, 400], content=bytes(400 * 400)),
)


@pytest.fixture
def exported():
    """Spans, as an exporter gets them."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


@pytest.fixture
def served(loop, exported):
    with of_engines(loop, shades=FreeEngine()) as server:
        yield server


def finished(exporter, name: str):
    """The span of that name, once it has ended, and the others."""
    eventually(lambda: any(span.name == name for span in exporter.get_finished_spans()))
    spans = exporter.get_finished_spans()
    (found,) = [span for span in spans if span.name == name]
    return found, [span for span in spans if span is not found]


@pytest.mark.parametrize("request_", [asked(DARK), LARGE], ids=["decoded at once", "decoded in a thread"])
def test_a_call_is_a_span_of_its_callers_trace_and_each_stage_a_span_below_it(served, exported, request_):
    served.stub.Classify(request_, metadata=CALLER, timeout=PATIENCE)
    call, stages = finished(exported, "tencrop.v1.Classification/Classify")
    assert f"{call.context.trace_id:032x}" == TRACE
    assert f"{call.parent.span_id:016x}" == "b7ad6b7169203331"
    assert call.attributes["tencrop.request_id"] == "order-66"
    assert [span.name for span in stages] == STAGES
    assert {span.parent.span_id for span in stages} == {call.context.span_id}


def test_stages_lie_one_after_the_other_within_the_call(served, exported):
    served.stub.Classify(asked(DARK), timeout=PATIENCE)
    call, stages = finished(exported, "tencrop.v1.Classification/Classify")
    moments = [moment for span in stages for moment in (span.start_time, span.end_time)]
    slack = 5_000_000  # nanoseconds: two clocks are read one after the other
    assert all(later >= earlier - slack for earlier, later in itertools.pairwise(moments))
    assert call.start_time - slack <= moments[0]
    assert moments[-1] <= call.end_time + slack


def test_a_stream_is_one_span_over_the_stages_of_all_its_pictures(served, exported):
    items = (pb.ClassifyStreamRequest(id=str(each), request=asked(DARK)) for each in range(2))
    list(served.stub.ClassifyStream(items, metadata=CALLER, timeout=PATIENCE))
    call, stages = finished(exported, "tencrop.v1.Classification/ClassifyStream")
    assert sorted(span.name for span in stages) == sorted(STAGES * 2)
    assert {span.parent.span_id for span in stages} == {call.context.span_id}


def test_a_request_over_http_is_a_span_of_its_callers_trace(served, exported):
    served.http("/metrics", **dict(CALLER))
    call, _ = finished(exported, "GET /metrics")
    assert f"{call.context.trace_id:032x}" == TRACE


def test_probes_are_no_spans(served, exported):
    served.http("/healthz")
    assert exported.get_finished_spans() == ()


def test_a_traceparent_that_is_none_begins_a_trace(served, exported):
    served.stub.Classify(asked(DARK), metadata=(("traceparent", "00-nonsense"),), timeout=PATIENCE)
    call, _ = finished(exported, "tencrop.v1.Classification/Classify")
    assert call.parent is None


def test_where_it_is_not_configured_nothing_of_opentelemetry_is_imported():
    code = (
        "import sys; from serving import tracing; import serving.pipeline.classifier, serving.doors.locks.interceptor;"
        "tracing.configure(); tracing.stages(1, vote=(0, 1))\n"
        "with tracing.request('a', {}): pass\n"
        "sys.exit('opentelemetry' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_where_it_is_configured_and_not_installed_the_way_out_is_named(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ImportError, match=r"pip install .tencrop\[telemetry\]"):
        tracing.configure()
