"""Ragged batches of ego-graphs: join them, cut them apart.

No padding: offsets say where each graph's nodes and edges begin, and each node's name (cumulative
lengths, as in text-embeddings-inference), so that joining is concatenation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from contract.feature_schema import NODE_FEATURES
from contract.tensors import (
    CATEGORY_SCORES,
    GRAPH_ROWS,
    NAME_SCORE,
    NEVER_BLOCKED,
    NODE_LABELS,
    RISK_SCORE,
    STATUS,
    TensorSpec,
)

GRAPH_INPUTS: Final = (
    TensorSpec("node_features", "FP32", (-1, len(NODE_FEATURES))),
    TensorSpec("node_type", "INT64", (-1,)),
    TensorSpec("name_bytes", "UINT8", (-1,)),
    TensorSpec("name_offsets", "INT64", (-1,)),
    TensorSpec("name_parts", "INT64", (-1, 2)),
    TensorSpec("edge_index", "INT64", (2, -1)),
    TensorSpec("edge_type", "INT64", (-1,)),
    TensorSpec("node_offsets", "INT64", (-1,)),
    TensorSpec("edge_offsets", "INT64", (-1,)),
    TensorSpec("target_nodes", "INT64", (-1,)),
)
GRAPH_OUTPUTS: Final = (
    CATEGORY_SCORES,
    RISK_SCORE,
    NAME_SCORE,
)
FEATURE_OUTPUTS: Final = (*GRAPH_INPUTS, GRAPH_ROWS, NODE_LABELS, NEVER_BLOCKED, STATUS)


@dataclass(frozen=True, slots=True)
class DomainGraphs:
    """G disconnected ego-graphs in one set of arrays.

    Shapes (N nodes, E edges, G graphs, F features, C name bytes):
        node_features  float32 (N, F)   columns as in feature_schema.NODE_FEATURES
        node_type      int64   (N,)     index into feature_schema.NODE_TYPES
        name_bytes     uint8   (C,)     names of the domain nodes, an octet each (see contract.name_octets)
        name_offsets   int64   (N+1,)   where each node's name begins; empty for other node types
        name_parts     int64   (N, 2)   where, within its name, a node's registrable label and its public
                                        suffix begin; the name's length where it has none
        edge_index     int64   (2, E)   row 0 source, row 1 target, over all N nodes
        edge_type      int64   (E,)     index into feature_schema.RELATIONS
        node_offsets   int64   (G+1,)   where each graph's nodes begin
        edge_offsets   int64   (G+1,)   where each graph's edges begin
        target_nodes   int64   (G,)     the scored node of each graph, over all N nodes
    """

    node_features: Float32[np.ndarray, "nodes features"]
    node_type: Int64[np.ndarray, " nodes"]
    name_bytes: UInt8[np.ndarray, " bytes"]
    name_offsets: Int64[np.ndarray, " nodes_and_one"]
    name_parts: Int64[np.ndarray, "nodes 2"]
    edge_index: Int64[np.ndarray, "2 edges"]
    edge_type: Int64[np.ndarray, " edges"]
    node_offsets: Int64[np.ndarray, " graphs_and_one"]
    edge_offsets: Int64[np.ndarray, " graphs_and_one"]
    target_nodes: Int64[np.ndarray, " graphs"]

    @property
    def graph_count(self) -> int:
        return len(self.target_nodes)

    @property
    def node_count(self) -> int:
        return len(self.node_type)

    @property
    def edge_count(self) -> int:
        return len(self.edge_type)

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays by their wire names, in contract order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def no_graphs() -> DomainGraphs:
    """The batch of no graph at all.

    >>> no_graphs().graph_count
    0
    """
    empty = {spec.name: np.zeros([max(axis, 0) for axis in spec.shape], spec.dtype) for spec in GRAPH_INPUTS}
    offsets = {name: np.zeros(1, np.int64) for name in empty if name.endswith("_offsets")}
    return DomainGraphs(**(empty | offsets))


def union(batches: Sequence[DomainGraphs]) -> DomainGraphs:
    """Join batches into one, shifting edges, targets and offsets by what lies before them."""
    if len(batches) == 1:
        return batches[0]
    node_shift = np.cumsum([0] + [batch.node_count for batch in batches])
    edge_shift = np.cumsum([0] + [batch.edge_count for batch in batches])
    byte_shift = np.cumsum([0] + [len(batch.name_bytes) for batch in batches])
    return DomainGraphs(
        node_features=np.concatenate([batch.node_features for batch in batches]),
        node_type=np.concatenate([batch.node_type for batch in batches]),
        name_bytes=np.concatenate([batch.name_bytes for batch in batches]),
        name_offsets=_join_offsets([batch.name_offsets for batch in batches], byte_shift),
        name_parts=np.concatenate([batch.name_parts for batch in batches]),
        edge_index=np.concatenate(
            [batch.edge_index + shift for batch, shift in zip(batches, node_shift, strict=False)], axis=1
        ),
        edge_type=np.concatenate([batch.edge_type for batch in batches]),
        node_offsets=_join_offsets([batch.node_offsets for batch in batches], node_shift),
        edge_offsets=_join_offsets([batch.edge_offsets for batch in batches], edge_shift),
        target_nodes=np.concatenate(
            [batch.target_nodes + shift for batch, shift in zip(batches, node_shift, strict=False)]
        ),
    )


def _join_offsets(
    offsets: Sequence[Int64[np.ndarray, " _"]], shifts: Int64[np.ndarray, " _"]
) -> Int64[np.ndarray, " _"]:
    starts = [part[:-1] + shift for part, shift in zip(offsets, shifts, strict=False)]
    return np.concatenate([*starts, shifts[-1:]])


def split(graphs: DomainGraphs, sizes: Sequence[int]) -> list[DomainGraphs]:
    """Cut a batch into consecutive batches of the given numbers of graphs; undoes `union`."""
    bounds = np.cumsum([0, *sizes])
    if bounds[-1] != graphs.graph_count:
        raise ValueError(f"sizes sum to {bounds[-1]}, the batch has {graphs.graph_count} graphs")
    return [_slice(graphs, int(first), int(last)) for first, last in pairwise(bounds)]


def _slice(graphs: DomainGraphs, first: int, last: int) -> DomainGraphs:
    nodes = slice(graphs.node_offsets[first], graphs.node_offsets[last])
    edges = slice(graphs.edge_offsets[first], graphs.edge_offsets[last])
    names = slice(graphs.name_offsets[nodes.start], graphs.name_offsets[nodes.stop])
    return DomainGraphs(
        node_features=graphs.node_features[nodes],
        node_type=graphs.node_type[nodes],
        name_bytes=graphs.name_bytes[names],
        name_offsets=graphs.name_offsets[nodes.start : nodes.stop + 1] - names.start,
        name_parts=graphs.name_parts[nodes],
        edge_index=graphs.edge_index[:, edges] - nodes.start,
        edge_type=graphs.edge_type[edges],
        node_offsets=graphs.node_offsets[first : last + 1] - nodes.start,
        edge_offsets=graphs.edge_offsets[first : last + 1] - edges.start,
        target_nodes=graphs.target_nodes[first:last] - nodes.start,
    )
