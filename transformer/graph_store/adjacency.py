"""From a list of observed edges to neighbour lists by node and relation, in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt32

from contract.feature_schema import RELATION_IDS, RELATIONS, reverse_of

RELATION_COUNT: Final = len(RELATIONS)
REVERSE: Final = np.array([RELATION_IDS[reverse_of(relation)] for relation in RELATIONS])
LATEST_TIME: Final = np.iinfo(np.uint32).max


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges a - relation - b between node ids, each in one direction.

    Times are in seconds since 1970 and 0 on edges that follow from the names alone (apex, similar).
    """

    source: Int64[np.ndarray, " edges"]
    relation: Int64[np.ndarray, " edges"]
    target: Int64[np.ndarray, " edges"]
    first_seen: Int64[np.ndarray, " edges"]
    last_seen: Int64[np.ndarray, " edges"]
    count: Int64[np.ndarray, " edges"]

    def take(self, places: Int64[np.ndarray, " _"]) -> Edges:
        """The edges at the given places, in that order."""
        return Edges(
            self.source[places],
            self.relation[places],
            self.target[places],
            self.first_seen[places],
            self.last_seen[places],
            self.count[places],
        )


@dataclass(frozen=True, slots=True)
class Adjacency:
    """Neighbour lists in compressed rows: row node * R + relation, ascending by neighbour.

    Node ids ascend by the hash of their name, so the first k of a list are a sample that does not
    depend on the list's length or on the order of the import.
    """

    indptr: UInt32[np.ndarray, " rows_and_one"]
    neighbours: Int32[np.ndarray, " entries"]
    first_seen: UInt32[np.ndarray, " entries"]
    last_seen: UInt32[np.ndarray, " entries"]
    counts: Int64[np.ndarray, " entries"]


def derived_edges(
    relation: str, source: Int64[np.ndarray, " edges"], target: Int64[np.ndarray, " edges"]
) -> Edges:
    """Edges that follow from the names: never observed, so without times and count."""
    nothing = np.zeros(len(source), np.int64)
    kind = np.full(len(source), RELATION_IDS[relation], np.int64)
    return Edges(source, kind, target, nothing, nothing, nothing)


def concatenate(parts: list[Edges]) -> Edges:
    """All edges of several lists, in order."""
    return Edges(
        np.concatenate([part.source for part in parts]),
        np.concatenate([part.relation for part in parts]),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.first_seen for part in parts]),
        np.concatenate([part.last_seen for part in parts]),
        np.concatenate([part.count for part in parts]),
    )


def merge_repeated(edges: Edges, node_count: int) -> Edges:
    """Join repeated observations of one edge: earliest first, latest last, counts added.

    Edges come back ascending by source, relation and target; edges from a node to itself are dropped.
    """
    edges = edges.take(np.flatnonzero(edges.source != edges.target))
    key = (edges.source * RELATION_COUNT + edges.relation) * node_count + edges.target
    order = np.argsort(key, kind="stable")
    key, edges = key[order], edges.take(order)
    if not len(key):
        return edges
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    return Edges(
        edges.source[first],
        edges.relation[first],
        edges.target[first],
        np.minimum.reduceat(edges.first_seen, first),
        np.maximum.reduceat(edges.last_seen, first),
        np.add.reduceat(edges.count, first),
    )


def build_adjacency(edges: Edges, node_count: int) -> Adjacency:
    """List every node's neighbours by relation, each edge at both of its ends."""
    reverse = Edges(
        edges.target, REVERSE[edges.relation], edges.source, edges.first_seen, edges.last_seen, edges.count
    )
    # "similar" is its own reverse: merging drops the second copy where both directions were given.
    both = merge_repeated(concatenate([edges, reverse]), node_count)
    rows = both.source * RELATION_COUNT + both.relation
    indptr = np.zeros(node_count * RELATION_COUNT + 1, np.uint32)
    np.cumsum(np.bincount(rows, minlength=node_count * RELATION_COUNT), out=indptr[1:])
    return Adjacency(
        indptr=indptr,
        neighbours=both.target.astype(np.int32),
        first_seen=both.first_seen.clip(0, LATEST_TIME).astype(np.uint32),
        last_seen=both.last_seen.clip(0, LATEST_TIME).astype(np.uint32),
        counts=both.count,
    )


def log_degrees(degrees: Int64[np.ndarray, "nodes relations"]) -> Float32[np.ndarray, "nodes relations"]:
    """The graph features of nodes with these degrees (feature_schema.GRAPH_FEATURES)."""
    return np.log1p(degrees).astype(np.float32)
