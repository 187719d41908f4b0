"""Spans of requests and their stages, for OpenTelemetry; nothing of it is imported where it is not configured.

A request's span continues its caller's trace (W3C Trace Context, the header traceparent).
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from serving.request_ids import request_id

_CONFIGURED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_NO_SPAN = nullcontext()

_tracer: Any = None
"""An opentelemetry.trace.Tracer, where there is one."""


def configure() -> None:
    """Sends spans to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, if it does; the SDK reads the other OTEL_*
    variables. Raises ImportError where it is not installed.
    """
    if not any(map(os.environ.get, _CONFIGURED_BY)):
        return
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ImportError(
            f"Spans are sent by OpenTelemetry's SDK; it is not installed ({error}). "
            'Run pip install "tencrop[telemetry]", or unset OTEL_EXPORTER_OTLP_ENDPOINT.'
        ) from error
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)


def use(provider: Any) -> None:
    """Makes spans by `provider`, an opentelemetry.trace.TracerProvider; None for none."""
    global _tracer
    _tracer = provider and provider.get_tracer("tencrop")


def request(method: str, headers: Mapping[str, str]) -> AbstractContextManager[None]:
    """A span of the call that runs inside the block, `method` as its protocol names it."""
    return _NO_SPAN if _tracer is None else _span_of_request(method, headers)


@contextmanager
def _span_of_request(method: str, headers: Mapping[str, str]) -> Iterator[None]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    asked_by = TraceContextTextMapPropagator().extract(
        {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
    )
    attributes = {"tencrop.request_id": request_id.get()}
    with _tracer.start_as_current_span(method, asked_by, SpanKind.SERVER, attributes):
        yield


def stages(now: float, **moments: tuple[float, float]) -> None:
    """Spans of what the call that runs now went through: each from one moment to another, on the clock, in seconds,
    that says `now`.
    """
    if _tracer is None:
        return
    nanoseconds = time.time_ns()
    for name, (started, ended) in moments.items():
        span = _tracer.start_span(name, start_time=nanoseconds - int((now - started) * 1e9))
        span.end(nanoseconds - int((now - ended) * 1e9))
