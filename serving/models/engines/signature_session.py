"""Runs signatures of a SavedModel with TensorFlow."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.errors import EngineFailed, InvalidRequest, ModelRejected
from serving.models.engines.frontless import front_left_out
from serving.models.engines.tensorflow import SERVING
from serving.models.signatures import Signature, Tensors

with front_left_out():
    from tensorflow.python.client.session import Session
    from tensorflow.python.framework.errors import InvalidArgumentError, OpError
    from tensorflow.python.framework.ops import Graph
    from tensorflow.python.saved_model.loader_impl import SavedModelLoader


class SignatureSession:
    """The graph and the variables of one SavedModel, until `close`."""

    def __init__(self, directory: Path) -> None:
        """Raises ModelRejected where a file of the SavedModel in `directory` is not there, or not all of it."""
        self._session = Session(graph=Graph())
        try:
            SavedModelLoader(str(directory)).load(self._session, [SERVING])
        except (OSError, ValueError, RuntimeError, OpError) as error:
            self._session.close()
            raise ModelRejected(
                f"A SavedModel has all of its files; {directory} cannot be loaded ({error}). Copy it there again."
            ) from error

    def run(self, signature: Signature, inputs: Tensors, outputs: Collection[str]) -> dict[str, NDArray[Any]]:
        """See Signatures.run."""
        fed = {spec.tensor: inputs[name] for name, spec in signature.inputs.items()}
        fetched = {name: signature.outputs[name].tensor for name in outputs}
        try:
            arrays = self._session.run(fetched, fed)
        except InvalidArgumentError as error:
            raise InvalidRequest(
                f"Signature {signature.name!r} cannot be run on these inputs: {error.message}. Send others."
            ) from error
        except (OpError, ValueError) as error:
            raise EngineFailed(f"Signature {signature.name!r} failed: {error!r}") from error
        return {name: _array(output) for name, output in arrays.items()}

    def close(self) -> None:
        """Gives its memory back. Nothing may run."""
        self._session.close()


def _array(output: Any) -> NDArray[Any]:
    """A session gives a single string as bytes, of which numpy would make an array of characters."""
    return np.asarray(output, object) if isinstance(output, bytes) else np.asarray(output)
