"""Runs a SavedModel with TensorFlow."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serving.errors import ModelRejected
from serving.models.engines.engine import DENSE, OUTPUT, SIGNATURE, Engine, Precision
from serving.models.engines.quiet import chatter_kept_back

with chatter_kept_back():
    import tensorflow as tf
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    tf.config.list_physical_devices()  # where there is no GPU, looking for one complains

_PUBLISH = "Publish the model with `tencrop export`."


def use_threads(count: int) -> None:
    """Lets one operation of a network use `count` threads, in every engine of this process.

    Raises RuntimeError where an engine was made already: TensorFlow sizes its pool once.
    """
    tf.config.threading.set_intra_op_parallelism_threads(count)


class TensorFlowEngine(Engine):
    """One SavedModel, its variables frozen into the graph and the graph held by a session.

    For small networks that is much faster than calling the signature: variables need no reading, and
    there is no eager dispatch.
    """

    def __init__(self, directory: Path, precision: Precision = "float32", signature_name: str = SIGNATURE) -> None:
        """Loads one signature of the SavedModel in `directory`. In bfloat16, operations that are
        safe in it and that the processor has it for are computed in it.

        Raises ModelRejected where the precision is int8, where there is no SavedModel, or its signature is not
        uint8 [batch, height, width, channels] -> {"logits": float32 [batch, classes], ...}.
        """
        if precision == "int8":
            raise ModelRejected(
                "int8 is computed by OpenVINO, not by TensorFlow. Serve the model with engine: auto or openvino."
            )
        saved_model = _saved_model(directory)  # held until frozen: a signature alone does not keep its variables
        signature = _signature(saved_model, directory, signature_name)
        frozen = convert_variables_to_constants_v2(signature, lower_control_flow=False)
        with tf.Graph().as_default() as graph:
            tf.graph_util.import_graph_def(frozen.graph.as_graph_def(), name="")
        config = tf.compat.v1.ConfigProto()
        # A classifier is one chain of operations: handing each to another thread costs more than it gains.
        # Large operations still split over all cores.
        config.experimental.executor_type = "SINGLE_THREADED_EXECUTOR"
        if precision == "bfloat16":
            config.graph_options.rewrite_options.auto_mixed_precision_onednn_bfloat16 = RewriterConfig.ON
        self.precision = precision
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        logits = frozen.outputs[sorted(signature.structured_outputs).index(OUTPUT)]
        self._call = self._session.make_callable(logits.name, feed_list=[frozen.inputs[0].name])

    def run(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See Engine.run."""
        return self._call(rows)

    def close(self) -> None:
        """See Engine.close."""
        del self._call  # which the session has to outlive
        self._session.close()
        del self._session


def dense_engine(directory: Path) -> TensorFlowEngine:
    """The engine of the signature that takes pictures of any size. Raises ModelRejected."""
    return TensorFlowEngine(directory, signature_name=DENSE)


def _saved_model(directory: Path):
    try:
        return tf.saved_model.load(str(directory))
    except (OSError, ValueError) as error:
        raise ModelRejected(f"A version is a SavedModel; {directory} is not ({error}). {_PUBLISH}") from error


def _signature(saved_model, directory: Path, name: str):
    """The function of that name that `saved_model` is served by. Raises ModelRejected."""
    if name not in saved_model.signatures:
        raise ModelRejected(
            f"A SavedModel is served by its signature {name!r}; the one in {directory} has "
            f"{sorted(saved_model.signatures)}. {_PUBLISH}"
        )
    signature = saved_model.signatures[name]
    inputs = list(signature.structured_input_signature[1].values())
    outputs = signature.structured_outputs
    if len(inputs) != 1 or inputs[0].dtype != tf.uint8 or inputs[0].shape.rank != 4 or OUTPUT not in outputs:
        raise ModelRejected(
            f"{name!r} takes one uint8 tensor [batch, height, width, channels] and gives {OUTPUT!r}; "
            f"the one in {directory} takes {inputs} and gives {sorted(outputs)}. {_PUBLISH}"
        )
    return signature
