"""Whether the graph of a SavedModel does nothing but compute; found by reading it, and nothing of it is run."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from google.protobuf.message import DecodeError

from serving.errors import ModelRejected
from serving.models.card import GRAPH_FILE
from serving.models.engines.frontless import front_left_out
from serving.models.engines.operations import ALLOWED, NO_TRUST, RESTORING, SAVING, Trust

with front_left_out():
    from tensorflow.core.framework.attr_value_pb2 import AttrValue
    from tensorflow.core.framework.node_def_pb2 import NodeDef
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, TensorInfo
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

Value = TypeVar("Value")

log = logging.getLogger(__name__)

_SHOWN = 5


class Finding(NamedTuple):
    """An operation that a served graph may not hold."""

    operation: str
    node: str
    function: str
    """Empty for the main graph."""

    def __str__(self) -> str:
        return f"{self.node!r} in {f'function {self.function!r}' if self.function else 'the graph'}, a {self.operation}"


def check_safety(directory: Path, trust: Trust = NO_TRUST) -> None:
    """Raises ModelRejected where the SavedModel in `directory` holds operations that `trust` does not cover either.

    What is covered by `trust` alone is said at each call, as a warning.
    """
    findings = unsafe_operations(_read(directory))
    version = f"{directory.parent.name} version {directory.name}"
    refused = [] if trust.everything else [each for each in findings if each.operation not in trust.operations]
    if refused:
        names = sorted({each.operation for each in refused})
        raise ModelRejected(
            f"A served graph computes, and touches no files, programs, networks or Python; that of {directory} holds "
            f"{_listed(refused)}. Publish the model without; or, where you trust whoever may write models, declare "
            f"allow_operations: [{', '.join(names)}] for {directory.parent.name} in models.yaml, or set "
            "allow_unsafe_models where they are in a store."
        )
    if findings:
        log.warning("%s is served although it may do more than compute: it holds %s", version, _listed(findings))


def unsafe_operations(saved_model: SavedModel) -> list[Finding]:
    """Every operation of any of its graphs, and of any function, that is not allowed where it stands.

    The saver's operations, which read and write files, are allowed where nothing but the saver reaches them: writing
    ones from what saves, reading ones from what restores.
    """
    return [finding for meta_graph in saved_model.meta_graphs for finding in _Graph(meta_graph).findings()]


class _Part(NamedTuple):
    """Nodes of the main graph and functions, by name."""

    nodes: set[str]
    functions: set[str]


class _Graph:
    """One graph of a SavedModel, and who reaches what in it."""

    def __init__(self, meta_graph: MetaGraphDef) -> None:
        self._meta_graph = meta_graph
        self._nodes = _by_name((node.name, node) for node in meta_graph.graph_def.node)
        library = meta_graph.graph_def.library
        self._functions = _by_name((function.signature.name, function.node_def) for function in library.function)
        # The runtime may put one function in another's place where both say that they implement the same.
        self._exchangeable = {f.signature.name for f in library.function if "api_implements" in f.attr}

    def findings(self) -> Iterator[Finding]:
        saver = self._meta_graph.saver_def
        saving, restoring = self._reached([saver.save_tensor_name]), self._reached([saver.restore_op_name])
        # Whatever the saver alone does not reach may be run, by whoever loads the model or asks it.
        mine = self._nodes.keys() - saving.nodes - restoring.nodes
        functions = self._functions.keys() - saving.functions - restoring.functions
        functions |= self._exchangeable | self._concrete_functions()
        served = self._reached([*mine, *self._entries()], functions)
        found: dict[Finding, None] = {}
        for part, allowed in ((served, ALLOWED), (restoring, ALLOWED | RESTORING), (saving, ALLOWED | SAVING)):
            found |= dict.fromkeys(self._not_allowed(part, allowed))
        yield from found

    def _not_allowed(self, part: _Part, allowed: frozenset[str]) -> Iterator[Finding]:
        places = [("", [self._nodes[name] for name in sorted(part.nodes)])]
        places += [(name, list(self._functions[name])) for name in sorted(part.functions)]
        for function, nodes in places:
            for node in nodes:
                if node.op not in allowed and node.op not in self._functions:
                    yield Finding(node.op, node.name, function)

    def _entries(self) -> Iterator[str]:
        """Tensors that signatures take and give, and nodes of collections, of which a loader runs some."""
        for signature in self._meta_graph.signature_def.values():
            for tensor in (*signature.inputs.values(), *signature.outputs.values()):
                yield from _names_in(tensor)
        for collection in self._meta_graph.collection_def.values():
            yield from collection.node_list.value

    def _concrete_functions(self) -> set[str]:
        """Functions that whoever loads the model may call."""
        return self._meta_graph.object_graph_def.concrete_functions.keys() & self._functions.keys()

    def _reached(self, tensors: Iterable[str], functions: Iterable[str] = ()) -> _Part:
        """What is computed for `tensors`, by name, and what these and `functions` call."""
        part = _Part(set(), set())
        nodes, called = [_node_of(name) for name in tensors], list(functions)
        while nodes or called:
            if nodes:
                name = nodes.pop()
                if name in self._nodes and name not in part.nodes:
                    part.nodes.add(name)
                    nodes += map(_node_of, self._nodes[name].input)
                    called += self._called(self._nodes[name])
            elif (function := called.pop()) not in part.functions:
                part.functions.add(function)
                for node in self._functions[function]:
                    called += self._called(node)
        return part

    def _called(self, node: NodeDef) -> Iterator[str]:
        """Functions that `node` calls."""
        names = (node.op, *(name for value in node.attr.values() for name in _functions_in(value)))
        return (name for name in names if name in self._functions)


def _by_name(named: Iterable[tuple[str, Value]]) -> Mapping[str, Value]:
    """Raises ModelRejected where two have one name: which of them is run would be anybody's guess."""
    found: dict[str, Value] = {}
    for name, value in named:
        if name in found:
            raise ModelRejected(
                f"A name in a graph is that of one node or function; {name!r} is given twice. Publish the model again."
            )
        found[name] = value
    return found


def _names_in(tensor: TensorInfo) -> Iterator[str]:
    """Of a tensor, or of the parts that it is put together from."""
    sparse = tensor.coo_sparse
    yield from (tensor.name, sparse.values_tensor_name, sparse.indices_tensor_name, sparse.dense_shape_tensor_name)
    for part in tensor.composite_tensor.components:
        yield from _names_in(part)


def _functions_in(value: AttrValue) -> Iterator[str]:
    """Names of functions in an attribute, and in the attributes that these are given."""
    for function in (value.func, *value.list.func):
        yield function.name
        for inner in function.attr.values():
            yield from _functions_in(inner)


def _read(directory: Path) -> SavedModel:
    """The SavedModel in `directory`. Raises ModelRejected. One in text is not looked for, though TensorFlow would."""
    path = directory / GRAPH_FILE
    try:
        return SavedModel.FromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise ModelRejected(
            f"A version is a SavedModel; {path} is not one that can be read ({error}). "
            "Publish the model with `tencrop export`."
        ) from error


def _node_of(tensor: str) -> str:
    """The node in the name of a tensor ("node:0") or of a control input ("^node")."""
    return tensor.removeprefix("^").partition(":")[0]


def _listed(findings: list[Finding]) -> str:
    more = len(findings) - _SHOWN
    return "; ".join(map(str, findings[:_SHOWN])) + (f"; and {more} more" if more > 0 else "")
