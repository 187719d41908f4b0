"""The signatures of a SavedModel, described from its file and run by TensorFlow when they are asked for."""

import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from serving.errors import ModelRejected
from serving.models.engines.frontless import front_left_out
from serving.models.engines.runtime import import_runtime
from serving.models.signatures import Signature, Signatures, Tensors, TensorSpec

with front_left_out():
    from tensorflow.core.framework import types_pb2
    from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

if TYPE_CHECKING:
    from serving.models.engines.signature_session import SignatureSession

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
        self._session: SignatureSession | None = None

    @classmethod
    def loaded(cls, directory: Path) -> "SavedModelSignatures":
        """The same, loaded already: where a file is not there, or not all of it, that is found now.

        Raises ModelRejected.
        """
        signatures = cls(directory)
        signatures._loaded()
        return signatures

    def run(self, signature: Signature, inputs: Tensors, outputs: Collection[str]) -> dict[str, NDArray[Any]]:
        """See Signatures.run."""
        return self._loaded().run(signature, inputs, outputs)

    def close(self) -> None:
        """See Signatures.close."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _loaded(self) -> "SignatureSession":
        with self._loading:
            import_runtime()
            from serving.models.engines.signature_session import SignatureSession

            if self._session is None:
                self._session = SignatureSession(self._directory)
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
