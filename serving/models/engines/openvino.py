"""Runs a SavedModel, or a quantised network, with OpenVINO on the CPU."""

import logging
import sys
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from serving.errors import ModelRejected
from serving.models.engines.engine import OUTPUT, Engine, Precision

log = logging.getLogger(__name__)


@contextmanager
def telemetry_kept_out():
    """Imports of OpenVINO's packages inside the block find no telemetry, and do without.

    With it, they report to their makers over the network when they are imported, and write to the home directory.
    """
    name = "openvino_telemetry"
    present = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say that there is none
    try:
        yield
    finally:
        del sys.modules[name]
        if present:
            sys.modules[name] = present


with telemetry_kept_out():
    import openvino
    from openvino import frontend

_CORE = openvino.Core()
_FRONT_ENDS = frontend.FrontEndManager()
_FAILURES = (
    RuntimeError,
    frontend.GeneralFailure,
    frontend.InitializationFailure,
    frontend.NotImplementedFailure,
    frontend.OpConversionFailure,
    frontend.OpValidationFailure,
)
_MAP_WEIGHTS = True


class OpenVINOEngine(Engine):
    """One network, compiled for batches of every size. A batch that runs has a stream of its own."""

    def __init__(
        self, network: Path, precision: Precision = "float32", threads: int = 1, batches_in_flight: int = 1
    ) -> None:
        """Loads `network`: the directory of a SavedModel, or the .xml of a network in OpenVINO's own format.

        An operation uses at most `threads` threads in each of `batches_in_flight` streams. Of a processor without
        bfloat16 the engine's `precision` is float32 all the same. Raises ModelRejected where OpenVINO cannot run
        the network.
        """
        try:
            model = _read(network)
            compiled = _CORE.compile_model(model, "CPU", _settings(precision, threads, batches_in_flight))
        except _FAILURES as error:
            raise ModelRejected(
                f"OpenVINO reads the networks that it has all operations of; {network} is none ({_reason(error)}). "
                "Serve it with engine: tensorflow."
            ) from error
        outputs = [index for index, output in enumerate(compiled.outputs) if OUTPUT in output.names]
        if not outputs:
            raise ModelRejected(
                f"A served network gives {OUTPUT!r}; {network} gives {compiled.outputs}. Publish it again."
            )
        self.precision = _computed_in(compiled, precision)
        self.batches_in_flight = batches_in_flight
        self._logits = outputs[0]
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        for _ in range(batches_in_flight):
            self._idle.put(compiled.create_infer_request())

    def run(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Engine.run. More callers than `batches_in_flight` wait for each other."""
        request = self._idle.get()
        try:
            # OpenVINO shares no memory that may not be written to, as a message's own may not; nor does it keep what it
            # shares.
            own = np.require(rows, requirements=["C", "W"])
            request.set_input_tensor(openvino.Tensor(own, shared_memory=True))
            request.infer()
            return request.get_output_tensor(self._logits).data.copy()
        finally:
            self._idle.put(request)

    def close(self) -> None:
        """See Engine.close."""
        for _ in range(self.batches_in_flight):
            self._idle.get()


def _read(network: Path) -> openvino.Model:
    """The network, read as what it has to be: left to itself, OpenVINO tries every format that it knows, and some name
    further files to read. Its own does not: operations of OpenVINO's sets only compute, weights are in the .bin beside
    it, and extensions are loaded by a program alone.

    Raises ModelRejected where a file is not in OpenVINO's own format.
    """
    if network.is_dir():
        tensorflow = _FRONT_ENDS.load_by_framework("tf")
        return tensorflow.convert(tensorflow.load(str(network), _MAP_WEIGHTS))
    if network.is_file() and not network.read_bytes().startswith(b"<?xml"):
        raise ModelRejected(
            f"A quantised network is an .xml of OpenVINO; {network} is none. Write the version with `tencrop quantize`."
        )
    return _CORE.read_model(network)


def _settings(precision: Precision, threads: int, streams: int) -> dict[str, object]:
    return {
        # A quantised network says itself what of it is in 8 bits; the rest is as exact as elsewhere.
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        "INFERENCE_NUM_THREADS": threads * streams,
        "NUM_STREAMS": streams,
    }


def _computed_in(compiled: openvino.CompiledModel, asked: Precision) -> Precision:
    """What `compiled` computes in, which is not what was `asked` where the processor lacks it."""
    if asked == "bfloat16" and compiled.get_property("INFERENCE_PRECISION_HINT") != openvino.Type.bf16:
        log.warning("bfloat16 was asked for, and this processor lacks it: OpenVINO computes in float32.")
        return "float32"
    return asked


def _reason(error: Exception) -> str:
    """The last of what OpenVINO says, less the places in its source."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in reversed(lines) if line), "no reason given")
