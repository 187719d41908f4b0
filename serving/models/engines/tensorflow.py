"""Runs a SavedModel with TensorFlow."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serving.errors import ModelRejected
from serving.models.engines.engine import DENSE, OUTPUT, SIGNATURE, Engine, Precision
from serving.models.engines.frontless import front_left_out

with front_left_out():
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.types_pb2 import DT_UINT8
    from tensorflow.core.protobuf.config_pb2 import ConfigProto
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
    from tensorflow.python.client.session import Session
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_from_session_graph
    from tensorflow.python.framework.errors import OpError
    from tensorflow.python.framework.importer import import_graph_def
    from tensorflow.python.framework.ops import Graph
    from tensorflow.python.saved_model.loader_impl import SavedModelLoader
    from tensorflow.python.util import deprecation

SERVING = "serve"
"""The tag of the graph that is meant for it."""
_PUBLISH = "Publish the model with `tencrop export`."


class TensorFlowEngine(Engine):
    """One SavedModel, its variables frozen into the graph and the graph held by a session.

    For small networks that is much faster than calling the signature: variables need no reading, and
    there is no eager dispatch. Reading into a session, and not into objects of Python, halves the time
    for which the interpreter is kept from others.
    """

    def __init__(
        self,
        directory: Path,
        precision: Precision = "float32",
        signature_name: str = SIGNATURE,
        threads: int | None = None,
    ) -> None:
        """Loads one signature of the SavedModel in `directory`. In bfloat16, operations that are
        safe in it and that the processor has it for are computed in it. An operation uses at most `threads` threads,
        None for one a core; TensorFlow has it of the first engine that a process makes.

        Raises ModelRejected where the precision is int8, where there is no SavedModel, or its signature is not
        uint8 [batch, height, width, channels] -> {"logits": float32 [batch, classes], ...}.
        """
        if precision == "int8":
            raise ModelRejected(
                "int8 is computed by OpenVINO, not by TensorFlow. Serve the model with engine: auto or openvino."
            )
        config = ConfigProto(intra_op_parallelism_threads=threads or 0)
        with Session(graph=Graph(), config=config) as session:
            signature = _signature(_loaded(session, directory), directory, signature_name)
            (pictures,), logits = signature.inputs.values(), signature.outputs[OUTPUT]
            frozen = _frozen(session, logits.name)
        with Graph().as_default() as graph:
            import_graph_def(frozen, name="")
        # A classifier is one chain of operations: handing each to another thread costs more than it gains.
        # Large operations still split over all cores.
        config.experimental.executor_type = "SINGLE_THREADED_EXECUTOR"
        if precision == "bfloat16":
            config.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = RewriterConfig.ON
        self.precision = precision
        self._session = Session(graph=graph, config=config)
        self._call = self._session.make_callable(logits.name, feed_list=[pictures.name])

    def run(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Engine.run."""
        return self._call(rows)

    def close(self) -> None:
        """See Engine.close."""
        del self._call  # which the session has to outlive
        self._session.close()
        del self._session


def dense_engine(directory: Path, threads: int | None = None) -> TensorFlowEngine:
    """The engine of the signature that takes pictures of any size. Raises ModelRejected."""
    return TensorFlowEngine(directory, signature_name=DENSE, threads=threads)


def _loaded(session: Session, directory: Path) -> Mapping[str, SignatureDef]:
    """The signatures of the SavedModel in `directory`, whose graph and variables `session` has then. Raises
    ModelRejected.
    """
    try:
        return SavedModelLoader(str(directory)).load(session, [SERVING]).signature_def
    except (OSError, ValueError, RuntimeError, OpError) as error:
        raise ModelRejected(f"A version is a SavedModel; {directory} is not ({error}). {_PUBLISH}") from error


def _frozen(session: Session, output: str) -> GraphDef:
    """What computes the tensor `output` in `session`, with the values that variables have in it."""
    (node, _, _) = output.partition(":")
    with deprecation.silence():  # a function that TensorFlow itself calls
        return convert_variables_to_constants_from_session_graph(session, session.graph.as_graph_def(), [node])


def _signature(signatures: Mapping[str, SignatureDef], directory: Path, name: str) -> SignatureDef:
    """The one of that name that the SavedModel is served by. Raises ModelRejected."""
    if name not in signatures:
        raise ModelRejected(
            f"A SavedModel is served by its signature {name!r}; the one in {directory} has {sorted(signatures)}. "
            f"{_PUBLISH}"
        )
    inputs, outputs = list(signatures[name].inputs.values()), signatures[name].outputs
    if len(inputs) != 1 or not _is_pictures(inputs[0]) or OUTPUT not in outputs:
        raise ModelRejected(
            f"{name!r} takes one uint8 tensor [batch, height, width, channels] and gives {OUTPUT!r}; "
            f"the one in {directory} takes {list(map(str, inputs))} and gives {sorted(outputs)}. {_PUBLISH}"
        )
    return signatures[name]


def _is_pictures(tensor: TensorInfo) -> bool:
    return tensor.dtype == DT_UINT8 and len(tensor.tensor_shape.dim) == 4
