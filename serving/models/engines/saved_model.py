"""The signatures of a SavedModel, described from its file and run by TensorFlow when they are asked for."""

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from serving.errors import EngineFailed, InvalidRequest, ModelRejected
from serving.models.engines.quiet import chatter_kept_back
from serving.models.signatures import Signature, Signatures, Tensors, TensorSpec

with chatter_kept_back():
    import tensorflow as tf
    from tensorflow.core.framework import types_pb2
    from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
    from tensorflow.python.saved_model.loader_impl import SavedModelLoader

_SERVING = "serve"  # the tag of the graph that is meant for it
_INITIALISES = "__saved_model_init_op"  # listed among signatures, and the loader's own


class SavedModelSignatures(Signatures):
    """Every signature of the SavedModel in `directory`. Unless it is loaded before, its variables are at the first run,
    beside those of the engine. They stay until `close`.
    """

    def __init__(self, directory: Path) -> None:
        """Raises ModelRejected where there is no SavedModel."""
        self.all = _described(directory)
        self._directory = directory
        self._loading = threading.Lock()
        self._session: tf.compat.v1.Session | None = None

    @classmethod
    def loaded(cls, directory: Path) -> "SavedModelSignatures":
        """The same, loaded already: where a file is not there, or not all of it, that is found now.

        Raises ModelRejected.
        """
        signatures = cls(directory)
        try:
            signatures._loaded()
        except (tf.errors.OpError, ValueError, OSError) as error:
            reason = error.message if isinstance(error, tf.errors.OpError) else str(error)
            raise ModelRejected(
                f"A SavedModel has all of its files; {directory} cannot be loaded ({reason}). Copy it there again."
            ) from error
        return signatures

    def run(self, signature: Signature, inputs: Tensors, outputs: Collection[str]) -> dict[str, NDArray[Any]]:
        """See Signatures.run."""
        fed = {spec.tensor: inputs[name] for name, spec in signature.inputs.items()}
        fetched = {name: signature.outputs[name].tensor for name in outputs}
        try:
            return self._loaded().run(fetched, fed)
        except tf.errors.InvalidArgumentError as error:
            raise InvalidRequest(
                f"Signature {signature.name!r} cannot be run on these inputs: {error.message}. Send others."
            ) from error
        except (tf.errors.OpError, ValueError) as error:
            raise EngineFailed(f"Signature {signature.name!r} failed: {error!r}") from error

    def close(self) -> None:
        """See Signatures.close."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _loaded(self) -> tf.compat.v1.Session:
        with self._loading:
            if self._session is None:
                session = tf.compat.v1.Session(graph=tf.Graph())
                SavedModelLoader(str(self._directory)).load(session, [_SERVING])
                self._session = session
            return self._session


def _described(directory: Path) -> dict[str, Signature]:
    """By name. The graph is parsed, and nothing of it is run. Raises ModelRejected."""
    try:
        saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    except (OSError, DecodeError) as error:
        raise ModelRejected(
            f"A version is a SavedModel; {directory} is not ({error}). Publish the model with `tencrop export`."
        ) from error
    graph = next((each for each in saved.meta_graphs if _SERVING in each.meta_info_def.tags), None)
    if graph is None:
        raise ModelRejected(f"A SavedModel has a graph with the tag {_SERVING!r}; {directory} has none. Save it anew.")
    return {
        name: Signature(name, definition.method_name, _specs(definition.inputs), _specs(definition.outputs))
        for name, definition in sorted(graph.signature_def.items())
        if name != _INITIALISES
    }


def _specs(tensors: Mapping[str, meta_graph_pb2.TensorInfo]) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(info.name, types_pb2.DataType.Name(info.dtype), _shape(info))
        for name, info in sorted(tensors.items())
    }


def _shape(info: meta_graph_pb2.TensorInfo) -> tuple[int | None, ...] | None:
    if info.tensor_shape.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim)
