"""Cut each target's ego-graph out of the passive-DNS graph: two hops, capped, the whole batch at once.

The nodes of a graph stand in the order of discovery, the target first; which neighbours are taken
depends on hashes of their names alone. So a target's tensors are the same alone and in any batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from contract.feature_schema import DOMAIN_NODE, LEXICAL_FEATURES, RELATION_IDS, RELATIONS
from contract.graphs import DomainGraphs, union
from contract.ragged import offsets_of
from transformer.evidence import Evidence, FreshNodes, Target, gather_evidence
from transformer.graph_store import PassiveDnsGraph
from transformer.graph_store.adjacency import REVERSE, log_degrees
from transformer.walk import Steps, concatenate, expand

__all__ = ["MAX_NODES", "EgoGraphs", "Target", "extract"]

# Nodes of one ego-graph, the target among them; hop 1 always fits (see walk.CAPS).
MAX_NODES: Final = 64
# Targets walked from at a time: bounds memory, and keeps the sort keys below within 63 bits.
CHUNK: Final = 1024

_SIMILAR: Final = RELATION_IDS["similar"]
_IS_REVERSE: Final = np.array([relation.endswith("_rev") for relation in RELATIONS])
# More than the largest rank within a hop.
_RANKS: Final = 16
_NODE_BITS: Final = MAX_NODES.bit_length()
_RELATION_BITS: Final = len(RELATIONS).bit_length()


@dataclass(frozen=True, slots=True)
class EgoGraphs:
    """One graph per target, how many nodes beside the target each holds, and what all nodes are called.

    node_labels: names and addresses, also of nodes that carry no name; None where nobody asked for them.
    """

    graphs: DomainGraphs
    neighbours: Int32[np.ndarray, " graphs"]
    node_labels: list[bytes] | None = None


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The kept nodes, graph by graph in order of discovery; of_step: -1 where a step's node is not kept."""

    ids: Int64[np.ndarray, " nodes"]
    offsets: Int64[np.ndarray, " graphs_and_one"]
    of_step: Int64[np.ndarray, " steps"]


def extract(graph: PassiveDnsGraph, targets: Sequence[Target], *, labelled: bool = False) -> EgoGraphs:
    """The ego-graph of each target, at least one target.

    Targets and answers that the graph does not hold stand in their own target's graph only.
    """
    chunks = [
        _extract(graph, targets[first : first + CHUNK], labelled) for first in range(0, len(targets), CHUNK)
    ]
    graphs = union([cut for cut, _ in chunks])
    labels = [label for _, labels in chunks for label in labels] if labelled else None
    return EgoGraphs(graphs, (np.diff(graphs.node_offsets) - 1).astype(np.int32), labels)


def _extract(
    graph: PassiveDnsGraph, targets: Sequence[Target], labelled: bool
) -> tuple[DomainGraphs, list[bytes]]:
    evidence = gather_evidence(graph, targets)
    start = Steps.at_targets(evidence.target_nodes)
    near = concatenate([expand(graph, start, 0), evidence.steps])
    far = expand(graph, near, len(start))
    walk = concatenate([start, near, far])
    hop = np.repeat([0, 1, 2], [len(start), len(near), len(far)])
    nodes = _choose_nodes(walk, hop, graph.node_count + len(evidence.fresh.domain))
    edge_index, edge_type, edge_offsets = _edges(walk, nodes)
    lengths, name_bytes, parts = _names(graph, evidence.fresh, nodes.ids)
    graphs = DomainGraphs(
        node_features=_features(graph, evidence, nodes),
        node_type=_node_types(graph, nodes.ids),
        name_bytes=name_bytes,
        name_offsets=offsets_of(lengths),
        name_parts=parts,
        edge_index=edge_index,
        edge_type=edge_type,
        node_offsets=nodes.offsets,
        edge_offsets=edge_offsets,
        target_nodes=nodes.offsets[:-1].copy(),
    )
    return graphs, _labels(graph, evidence.fresh, nodes.ids) if labelled else []


def _labels(graph: PassiveDnsGraph, fresh: FreshNodes, ids: Int64[np.ndarray, " nodes"]) -> list[bytes]:
    known = graph.node_count
    return [
        fresh.label_of(node - known) if node >= known else graph.name_of(node).encode()
        for node in ids.tolist()
    ]


def _choose_nodes(walk: Steps, hop: Int64[np.ndarray, " steps"], node_bound: int) -> _Nodes:
    # Nearer steps come first, then the first neighbours of all, so that a full graph holds some of each.
    urgency = (hop * _RANKS + walk.rank).astype(np.uint8)
    by_urgency = np.argsort(urgency, kind="stable")
    bits = len(walk).bit_length()
    # One sort of (graph, node, place) finds each node's most urgent step: an argsort costs far more.
    keys = (walk.graph * node_bound + walk.node)[by_urgency] << bits | np.arange(len(walk))
    keys.sort()
    places, keys = keys & ((1 << bits) - 1), keys >> bits
    first = np.concatenate([[True], keys[1:] != keys[:-1]])
    unique_of_step = np.empty(len(walk), np.int64)
    unique_of_step[by_urgency[places]] = np.cumsum(first) - 1
    return _first_nodes(keys[first], places[first], node_bound, unique_of_step)


def _first_nodes(
    keys: Int64[np.ndarray, " unique"],
    places: Int64[np.ndarray, " unique"],
    node_bound: int,
    unique_of_step: Int64[np.ndarray, " steps"],
) -> _Nodes:
    graphs, ids = np.divmod(keys, node_bound)
    order = np.argsort(graphs << (int(places.max()).bit_length()) | places)
    sizes = np.bincount(graphs)
    rank = np.arange(len(order)) - np.repeat(offsets_of(sizes)[:-1], sizes)
    kept = order[rank < MAX_NODES]
    node_of_unique = np.full(len(order), -1)
    node_of_unique[kept] = np.arange(len(kept))
    return _Nodes(ids[kept], offsets_of(np.minimum(sizes, MAX_NODES)), node_of_unique[unique_of_step])


def _edges(
    walk: Steps, nodes: _Nodes
) -> tuple[Int64[np.ndarray, "2 edges"], Int64[np.ndarray, " edges"], Int64[np.ndarray, " graphs_and_one"]]:
    """Every step between kept nodes, once, followed by the same edge seen from its other end."""
    target_count = len(nodes.offsets) - 1
    taken = np.flatnonzero(nodes.of_step[target_count:] >= 0) + target_count
    source, target = nodes.of_step[walk.parent[taken]], nodes.of_step[taken]
    relation = walk.relation[taken]
    flip = _IS_REVERSE[relation] | ((relation == _SIMILAR) & (source > target))
    source, target = np.where(flip, target, source), np.where(flip, source, target)
    relation = np.where(flip, REVERSE[relation], relation)
    # Nodes are numbered graph by graph, so sorting by source keeps each graph's edges together.
    first_node = nodes.offsets[walk.graph[taken]]
    keys = (source << _RELATION_BITS | relation) << _NODE_BITS | (target - first_node)
    keys = np.unique(keys)
    source, relation = np.divmod(keys >> _NODE_BITS, 1 << _RELATION_BITS)
    graph = np.searchsorted(nodes.offsets, source, "right") - 1
    target = (keys & ((1 << _NODE_BITS) - 1)) + nodes.offsets[graph]
    edge_index = np.stack([np.stack([source, target], 1).ravel(), np.stack([target, source], 1).ravel()])
    edge_type = np.stack([relation, REVERSE[relation]], 1).ravel()
    return edge_index, edge_type, offsets_of(2 * np.bincount(graph, minlength=target_count))


def _features(
    graph: PassiveDnsGraph, evidence: Evidence, nodes: _Nodes
) -> Float32[np.ndarray, "nodes features"]:
    fresh = nodes.ids >= graph.node_count
    if fresh.any():
        features = np.empty((len(fresh), evidence.fresh.features.shape[1]), np.float32)
        features[~fresh] = graph.features(nodes.ids[~fresh])
        features[fresh] = evidence.fresh.features[nodes.ids[fresh] - graph.node_count]
    else:
        features = graph.features(nodes.ids)
    changed = evidence.new_degrees.any(axis=1) & (evidence.target_nodes < graph.node_count)
    if changed.any():
        degrees = graph.degrees(evidence.target_nodes[changed]) + evidence.new_degrees[changed]
        features[nodes.offsets[:-1][changed], len(LEXICAL_FEATURES) :] = log_degrees(degrees)
    return features


def _node_types(graph: PassiveDnsGraph, ids: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, " nodes"]:
    types = graph.node_types(ids)
    types[ids >= graph.node_count] = DOMAIN_NODE
    return types


def _names(
    graph: PassiveDnsGraph, fresh: FreshNodes, ids: Int64[np.ndarray, " nodes"]
) -> tuple[Int64[np.ndarray, " nodes"], UInt8[np.ndarray, " bytes"], Int64[np.ndarray, "nodes 2"]]:
    """Lengths of all names, the names end to end, and where their parts begin."""
    own = np.flatnonzero(ids >= graph.node_count)
    if not len(own):
        return *graph.domain_names(ids), graph.name_parts(ids)
    known = np.flatnonzero(ids < graph.node_count)
    lengths, parts = np.zeros(len(ids), np.int64), np.zeros((len(ids), 2), np.int64)
    lengths[known], known_bytes = graph.domain_names(ids[known])
    parts[known] = graph.name_parts(ids[known])
    places = (ids[own] - graph.node_count).tolist()
    domains = [fresh.domain[place] for place in places]
    fresh_names = [fresh.name[place] for place in places]
    lengths[own] = [len(name) for name in fresh_names]
    parts[own] = [(domain.label_start, domain.suffix_start) for domain in domains]
    is_fresh = np.repeat(ids >= graph.node_count, lengths)
    name_bytes = np.empty(len(is_fresh), np.uint8)
    name_bytes[~is_fresh] = known_bytes
    name_bytes[is_fresh] = np.frombuffer(b"".join(fresh_names), np.uint8)
    return lengths, name_bytes, parts
