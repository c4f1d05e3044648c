"""What a batch of ego-graphs from the wire must be before anybody computes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Int64

from contract.errors import InvalidTensors
from contract.feature_schema import DOMAIN_NODE, MAX_NAME_LENGTH, NODE_TYPES, RELATIONS
from contract.graphs import GRAPH_INPUTS, DomainGraphs

LARGEST_FEATURE: Final = 1e6


def from_tensors(tensors: Mapping[str, np.ndarray]) -> DomainGraphs:
    """Take a batch from decoded wire tensors and check it.

    Raises:
        InvalidTensors: offsets, types, targets or edges that do not describe G closed graphs.
    """
    _check_lengths(tensors)
    graphs = DomainGraphs(**{spec.name: tensors[spec.name] for spec in GRAPH_INPUTS})
    validate(graphs)
    return graphs


def validate(graphs: DomainGraphs) -> None:
    """Check that the arrays describe closed graphs with one target each.

    KServe compares nothing with the declared tensors, and one edge that leaves its graph would mix two
    callers' scores, so every bound is checked here, vectorised.

    Raises:
        InvalidTensors: names the tensor, what was expected and what came.
    """
    if graphs.graph_count == 0:
        raise InvalidTensors("target_nodes: expected at least one graph, got none")
    _check_offsets("node_offsets", graphs.node_offsets, graphs.node_count, "nodes", minimum_step=1)
    _check_offsets("edge_offsets", graphs.edge_offsets, graphs.edge_count, "edges")
    _check_offsets("name_offsets", graphs.name_offsets, len(graphs.name_bytes), "bytes of name_bytes")
    _check_bounds("node_type", graphs.node_type, 0, len(NODE_TYPES))
    _check_bounds("edge_type", graphs.edge_type, 0, len(RELATIONS))
    _check_names(graphs)
    _check_parts(graphs)
    _check_finite(graphs)
    first_node, last_node = graphs.node_offsets[:-1], graphs.node_offsets[1:]
    _check_bounds("target_nodes", graphs.target_nodes, first_node, last_node)
    edges_per_graph = np.diff(graphs.edge_offsets)
    _check_bounds(
        "edge_index",
        graphs.edge_index,
        np.repeat(first_node, edges_per_graph),
        np.repeat(last_node, edges_per_graph),
    )


def _check_lengths(tensors: Mapping[str, np.ndarray]) -> None:
    nodes, edges = len(tensors["node_type"]), len(tensors["edge_type"])
    graphs = len(tensors["target_nodes"])
    for name, axis, want, why in (
        ("node_features", 0, nodes, "one row per entry of node_type"),
        ("name_offsets", 0, nodes + 1, "nodes + 1"),
        ("name_parts", 0, nodes, "one row per entry of node_type"),
        ("edge_index", 1, edges, "one column per entry of edge_type"),
        ("node_offsets", 0, graphs + 1, "graphs + 1"),
        ("edge_offsets", 0, graphs + 1, "graphs + 1"),
    ):
        got = tensors[name].shape[axis]
        if got != want:
            raise InvalidTensors(f"{name}: expected length {want} ({why}), got {got}")


def _check_offsets(
    name: str, offsets: Int64[np.ndarray, " _"], total: int, counted: str, minimum_step: int = 0
) -> None:
    if offsets[0] != 0 or offsets[-1] != total:
        raise InvalidTensors(
            f"{name}: expected to run from 0 to the number of {counted} ({total}), "
            f"got {offsets[0]} to {offsets[-1]}"
        )
    # Not np.diff: the difference of two hostile int64 may wrap around.
    ascending = offsets[1:] > offsets[:-1] if minimum_step else offsets[1:] >= offsets[:-1]
    if not ascending.all():
        place = int(np.argmin(ascending))
        order = "strictly ascending (no graph without nodes)" if minimum_step else "ascending"
        raise InvalidTensors(
            f"{name}: expected {order}, got {offsets[place]} before {offsets[place + 1]} at {place}"
        )


def _check_bounds(
    name: str,
    values: Int64[np.ndarray, "..."],
    low: int | Int64[np.ndarray, " _"],
    high: int | Int64[np.ndarray, " _"],
) -> None:
    inside = (values >= low) & (values < high)
    if inside.all():
        return
    place = np.unravel_index(int(np.argmin(inside)), values.shape)
    lowest, highest = (int(np.broadcast_to(bound, values.shape)[place]) for bound in (low, high))
    at = ", ".join(str(int(index)) for index in place)
    raise InvalidTensors(
        f"{name}: expected values in [{lowest}, {highest}), got {int(values[place])} at [{at}]"
    )


def _check_names(graphs: DomainGraphs) -> None:
    lengths = np.diff(graphs.name_offsets)
    if lengths.max(initial=0) > MAX_NAME_LENGTH:
        node = int(np.argmax(lengths))
        raise InvalidTensors(
            f"name_offsets: expected names of at most {MAX_NAME_LENGTH} bytes, "
            f"got {lengths[node]} at node {node}"
        )
    named_hosts = (lengths > 0) & (graphs.node_type != DOMAIN_NODE)
    if named_hosts.any():
        raise InvalidTensors(
            "name_offsets: expected names on domain nodes only, "
            f"got one at node {int(np.argmax(named_hosts))}"
        )


def _check_parts(graphs: DomainGraphs) -> None:
    lengths = np.diff(graphs.name_offsets)
    label, suffix = graphs.name_parts.T
    ordered = (label >= 0) & (label <= suffix) & (suffix <= lengths)
    if not ordered.all():
        node = int(np.argmin(ordered))
        raise InvalidTensors(
            f"name_parts: expected 0 <= label <= suffix <= {lengths[node]} (the name's length), "
            f"got {label[node]}, {suffix[node]} at node {node}"
        )


def _check_finite(graphs: DomainGraphs) -> None:
    # A scaled feature is around 1; far beyond it, a model's arithmetic leaves no number.
    small = np.abs(graphs.node_features) <= LARGEST_FEATURE
    if not small.all():
        node, column = np.unravel_index(int(np.argmin(small)), small.shape)
        value = graphs.node_features[node, column]
        expected = f"values up to {LARGEST_FEATURE:g} in size" if np.isfinite(value) else "finite values"
        raise InvalidTensors(
            f"node_features: expected {expected}, got {value} at [{int(node)}, {int(column)}]"
        )
