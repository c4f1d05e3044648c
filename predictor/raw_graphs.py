"""Requests as the transformer writes them, cut out of the message as byte ranges and joined without arrays.

A v2 message of canonical order is a head (model, id, parameters), ten input declarations, ten raw contents.
The declarations follow from four counts, so they are compared as bytes instead of being read; what differs
is left to the general path, which says what is wrong with it. Values are checked once a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from contract.errors import InvalidTensors
from contract.feature_schema import NODE_FEATURES
from contract.graph_checks import from_tensors, validate
from contract.graphs import GRAPH_INPUTS, DomainGraphs, union
from contract.ragged import offsets_of
from serving.protobuf_bytes import delimited, varint

_INTS: Final = np.dtype("<i8")
_FLOATS: Final = np.dtype("<f4")
_INT: Final = _INTS.itemsize
_FEATURE_BYTES: Final = len(NODE_FEATURES) * _FLOATS.itemsize

# ModelInferRequest.inputs; in each the fields name, datatype and shape are 1, 2 and 3.
_INPUTS_FIELD: Final = 5
# Counts whose declarations are remembered.
_REMEMBERED: Final = 4096

# Places of the tensors in contract order.
_ORDER: Final = {spec.name: place for place, spec in enumerate(GRAPH_INPUTS)}


class RawGraphs(NamedTuple):
    """The graphs of one request as the bytes of each tensor in contract order, their values unchecked."""

    graph_count: int
    node_count: int
    edge_count: int
    name_bytes: int
    parts: list[bytes]

    def checked(self) -> DomainGraphs:
        """The same as arrays.

        Raises:
            InvalidTensors: as for a request of the general path.
        """
        shapes = _shapes(self)
        tensors = {
            spec.name: np.frombuffer(part, spec.dtype).reshape(shape)
            for spec, part, shape in zip(GRAPH_INPUTS, self.parts, shapes, strict=True)
        }
        return from_tensors(tensors)


class BrokenRequests(Exception):
    """Some requests of a batch are not what they must be; by their place in it."""

    def __init__(self, errors: dict[int, InvalidTensors]) -> None:
        super().__init__(f"{len(errors)} requests are broken")
        self.errors = errors


def cut(parts: list[bytes]) -> RawGraphs | None:
    """A request from the raw contents of its message, None where lengths do not fit one another."""
    if len(parts) != len(GRAPH_INPUTS):
        return None
    features, types, names, name_offsets, name_parts, edges, relations, *of_graphs, targets = map(len, parts)
    node_count, edge_count, graph_count = types // _INT, relations // _INT, targets // _INT
    if (
        features != node_count * _FEATURE_BYTES
        or types != node_count * _INT
        or name_offsets != types + _INT
        or name_parts != 2 * types
        or edges != 2 * relations
        or relations != edge_count * _INT
        or of_graphs != [targets + _INT] * 2
        or targets != graph_count * _INT
        or not graph_count
    ):
        return None
    return RawGraphs(graph_count, node_count, edge_count, names, parts)


def _shapes(raw: RawGraphs) -> list[tuple[int, ...]]:
    graphs, nodes, edges = raw.graph_count, raw.node_count, raw.edge_count
    return [
        (nodes, len(NODE_FEATURES)),
        (nodes,),
        (raw.name_bytes,),
        (nodes + 1,),
        (nodes, 2),
        (2, edges),
        (edges,),
        (graphs + 1,),
        (graphs + 1,),
        (graphs,),
    ]


def written_as(raw: RawGraphs) -> tuple[bytes, int]:
    """How every serializer declares the ten inputs of such a request, and the bytes of its raw contents."""
    nodes, named, in_nodes = _of_nodes(raw.node_count)
    edges, in_edges = _of_edges(raw.edge_count)
    graphs, in_graphs = _of_graphs(raw.graph_count)
    names, in_names = _of_names(raw.name_bytes)
    return nodes + names + named + edges + graphs, in_nodes + in_names + in_edges + in_graphs


@lru_cache(maxsize=_REMEMBERED)
def _of_nodes(nodes: int) -> tuple[bytes, bytes, int]:
    before = _declared("node_features", nodes, len(NODE_FEATURES)) + _declared("node_type", nodes)
    after = _declared("name_offsets", nodes + 1) + _declared("name_parts", nodes, 2)
    return before, after, _raw(nodes * _FEATURE_BYTES, nodes * _INT, (nodes + 1) * _INT, 2 * nodes * _INT)


@lru_cache(maxsize=_REMEMBERED)
def _of_names(size: int) -> tuple[bytes, int]:
    return _declared("name_bytes", size), _raw(size)


@lru_cache(maxsize=_REMEMBERED)
def _of_edges(edges: int) -> tuple[bytes, int]:
    declared = _declared("edge_index", 2, edges) + _declared("edge_type", edges)
    return declared, _raw(2 * edges * _INT, edges * _INT)


@lru_cache(maxsize=_REMEMBERED)
def _of_graphs(graphs: int) -> tuple[bytes, int]:
    offsets = [_declared(name, graphs + 1) for name in ("node_offsets", "edge_offsets")]
    declared = b"".join([*offsets, _declared("target_nodes", graphs)])
    return declared, _raw((graphs + 1) * _INT, (graphs + 1) * _INT, graphs * _INT)


def _raw(*sizes: int) -> int:
    # The tag, the length and the bytes of each.
    return sum(1 + len(varint(size)) + size for size in sizes)


def _declared(name: str, *shape: int) -> bytes:
    datatype = GRAPH_INPUTS[_ORDER[name]].datatype
    axes = b"".join(map(varint, shape))
    values = (name.encode(), datatype.encode(), axes)
    fields = b"".join(delimited(number, value) for number, value in enumerate(values, start=1))
    return delimited(_INPUTS_FIELD, fields)


def joined(batch: Sequence[DomainGraphs | RawGraphs]) -> DomainGraphs:
    """One batch of the requests, all of them checked.

    Raises:
        BrokenRequests: names those whose values break the contract; the others are fine.
    """
    raws = [request for request in batch if isinstance(request, RawGraphs)]
    if len(raws) == len(batch):
        try:
            return _joined_raw(raws)
        except InvalidTensors:
            # Somewhere in the batch; below says where.
            pass
    return union(_each_checked(batch))


def _each_checked(batch: Sequence[DomainGraphs | RawGraphs]) -> list[DomainGraphs]:
    checked: list[DomainGraphs] = []
    errors: dict[int, InvalidTensors] = {}
    for place, request in enumerate(batch):
        try:
            checked.append(request.checked() if isinstance(request, RawGraphs) else request)
        except InvalidTensors as flaw:
            errors[place] = flaw
    if errors:
        raise BrokenRequests(errors)
    return checked


def _joined_raw(raws: Sequence[RawGraphs]) -> DomainGraphs:
    columns = list(zip(*(raw.parts for raw in raws), strict=True))
    nodes = np.array([raw.node_count for raw in raws])
    edges = np.array([raw.edge_count for raw in raws])
    graphs = np.array([raw.graph_count for raw in raws])
    names = np.array([raw.name_bytes for raw in raws])
    first_node, first_edge, first_byte = offsets_of(nodes), offsets_of(edges), offsets_of(names)

    def ints(name: str) -> np.ndarray:
        return np.frombuffer(bytearray().join(columns[_ORDER[name]]), _INTS)

    by_graph, by_edge = np.repeat(first_node[:-1], graphs), np.repeat(first_node[:-1], edges)
    batch = DomainGraphs(
        node_features=_floats(columns[_ORDER["node_features"]]),
        node_type=ints("node_type"),
        name_bytes=np.frombuffer(bytearray().join(columns[_ORDER["name_bytes"]]), np.uint8),
        name_offsets=_offsets("name_offsets", ints("name_offsets"), nodes, first_byte),
        name_parts=ints("name_parts").reshape(-1, 2),
        edge_index=_edge_index(columns[_ORDER["edge_index"]], edges.tolist(), by_edge),
        edge_type=ints("edge_type"),
        node_offsets=_offsets("node_offsets", ints("node_offsets"), graphs, first_node),
        edge_offsets=_offsets("edge_offsets", ints("edge_offsets"), graphs, first_edge),
        target_nodes=ints("target_nodes") + by_graph,
    )
    validate(batch)
    return batch


def _floats(parts: Sequence[bytes]) -> np.ndarray:
    return np.frombuffer(bytearray().join(parts), _FLOATS).reshape(-1, len(NODE_FEATURES))


def _edge_index(parts: Sequence[bytes], edges: Sequence[int], shift: np.ndarray) -> np.ndarray:
    sources = [part[: count * _INT] for part, count in zip(parts, edges, strict=True)]
    targets = [part[count * _INT :] for part, count in zip(parts, edges, strict=True)]
    flat = np.frombuffer(bytearray().join([*sources, *targets]), _INTS)
    return flat.reshape(2, -1) + shift


def _offsets(name: str, local: np.ndarray, counts: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Offsets of requests, end to end and shifted; each must run from 0 to what its request holds."""
    ends = np.cumsum(counts + 1)
    starts = ends - counts - 1
    if local[starts].any() or (local[ends - 1] != np.diff(shifts)).any():
        raise InvalidTensors(f"{name}: a request's do not run from 0 to its end")
    joined_offsets = np.empty(len(local) - len(counts) + 1, np.int64)
    keep = np.ones(len(local), bool)
    keep[ends - 1] = False
    joined_offsets[:-1] = local[keep] + np.repeat(shifts[:-1], counts)
    joined_offsets[-1] = shifts[-1]
    return joined_offsets
