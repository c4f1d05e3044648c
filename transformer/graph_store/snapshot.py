"""One immutable state of the passive-DNS graph, memory-mapped, asked in batches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from contract.feature_schema import DOMAIN_NODE, IP_NODE, NODE_TYPES
from contract.name_octets import text_of
from contract.ragged import ragged_ranges, take_ragged
from transformer.graph_store.adjacency import RELATION_COUNT
from transformer.graph_store.array_checks import problem_of
from transformer.graph_store.array_files import SnapshotArrays, empty_arrays, map_arrays
from transformer.graph_store.confusable import skeleton
from transformer.graph_store.name_hash import name_hashes
from transformer.graph_store.passive_dns_graph import UNKNOWN
from transformer.graph_store.refusals import damaged
from transformer.graph_store.snapshot_meta import NO_META, SnapshotMeta, read_meta

_ROW: Final = np.arange(RELATION_COUNT + 1)


class Snapshot:
    """A `PassiveDnsGraph` over arrays; whoever holds it may go on after a newer one was swapped in."""

    def __init__(self, meta: SnapshotMeta, arrays: SnapshotArrays) -> None:
        self.meta = meta
        self.arrays = arrays
        counts = [meta.node_counts[node_type] for node_type in NODE_TYPES]
        # Where the nodes of each type begin; nodes of one type are consecutive.
        self._type_starts = np.array([0, *accumulate(counts)])

    @classmethod
    def empty(cls) -> Snapshot:
        """A graph that knows nothing: every name is then scored by its looks and answers alone."""
        return cls(NO_META, empty_arrays())

    @classmethod
    def open(cls, directory: Path) -> Snapshot:
        """Check a snapshot's files and map them: every byte is read, so it takes seconds a gigabyte.

        Raises:
            UnusableSnapshot: missing, unreadable, damaged, or of another format or feature schema.
        """
        meta = read_meta(directory)
        arrays = map_arrays(directory, meta.checksums if meta.verified else None)
        problem = problem_of(meta, arrays)
        if problem:
            raise damaged(directory, problem)
        return cls(meta, arrays)

    @property
    def snapshot_id(self) -> str:
        """Ascends with the time of the import."""
        return self.meta.snapshot_id

    @property
    def age_seconds(self) -> float:
        """Since the snapshot was written; 0 for the empty one."""
        return max(0.0, time.time() - self.meta.created) if self.meta.created else 0.0

    @property
    def node_count(self) -> int:
        """Nodes of all types."""
        return len(self.arrays.name_hashes)

    @property
    def edge_count(self) -> int:
        """Edges, each counted once although it is kept at both of its ends."""
        return len(self.arrays.neighbours) // 2

    def find(self, node_type: int, names: Sequence[bytes]) -> Int64[np.ndarray, " names"]:
        """The nodes of one type with these names (octets) or canonical addresses, else UNKNOWN."""
        first, last = self._type_starts[node_type : node_type + 2].tolist()
        if first == last or not names:
            return np.full(len(names), UNKNOWN)
        wanted = name_hashes(names, self.meta.name_salt)
        places = np.searchsorted(self.arrays.name_hashes[first:last], wanted) + first
        places = np.minimum(places, last - 1)
        found = np.flatnonzero(self.arrays.name_hashes[places] == wanted)
        nodes = np.full(len(names), UNKNOWN)
        # Hashes can collide: the name decides.
        same = self._are_named(places[found], [names[place] for place in found.tolist()])
        nodes[found[same]] = places[found[same]]
        return nodes

    def _are_named(
        self, nodes: Int64[np.ndarray, " nodes"], names: Sequence[bytes]
    ) -> Bool[np.ndarray, " nodes"]:
        starts, ends = self.arrays.name_offsets[nodes], self.arrays.name_offsets[nodes + 1]
        blob = self.arrays.name_bytes.data
        bounds = zip(starts.tolist(), ends.tolist(), names, strict=True)
        return np.array([blob[start:end] == name for start, end, name in bounds], bool)

    def find_similar(
        self, labels: Sequence[str], limit: int
    ) -> tuple[Int64[np.ndarray, " labels"], Int64[np.ndarray, " total"]]:
        """Registered domains that look like each label: how many (up to limit), and their nodes, flat."""
        forms = [skeleton(label) for label in labels]
        hashes = name_hashes([form.encode() for form in forms])
        first = np.searchsorted(self.arrays.skeleton_hashes, hashes, "left")
        last = np.searchsorted(self.arrays.skeleton_hashes, hashes, "right")
        meaningful = np.array([bool(form) for form in forms], bool)
        counts = np.where(meaningful, np.minimum(last - first, limit), 0)
        return counts, self.arrays.skeleton_nodes[ragged_ranges(first, counts)].astype(np.int64)

    def neighbours(
        self,
        nodes: Int64[np.ndarray, " lists"],
        relations: Int64[np.ndarray, " lists"],
        limits: Int64[np.ndarray, " lists"],
    ) -> tuple[Int64[np.ndarray, " lists"], Int64[np.ndarray, " total"]]:
        """The first neighbours of each node by one relation: how many (up to its limit), and who, flat."""
        rows = nodes * RELATION_COUNT + relations
        starts = self.arrays.indptr.take(rows).astype(np.int64)
        counts = np.minimum(self.arrays.indptr.take(rows + 1) - starts, limits)
        return counts, self.arrays.neighbours.take(ragged_ranges(starts, counts)).astype(np.int64)

    def has_edges(
        self,
        nodes: Int64[np.ndarray, " edges"],
        relations: Int64[np.ndarray, " edges"],
        neighbours: Int64[np.ndarray, " edges"],
    ) -> Bool[np.ndarray, " edges"]:
        """Which of these edges the graph holds."""
        rows = nodes * RELATION_COUNT + relations
        starts, ends = self.arrays.indptr[rows].tolist(), self.arrays.indptr[rows + 1].tolist()
        lists = [self.arrays.neighbours[start:end] for start, end in zip(starts, ends, strict=True)]
        return np.array([_holds(*pair) for pair in zip(lists, neighbours.tolist(), strict=True)], bool)

    def degrees(self, nodes: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, "nodes relations"]:
        """Number of neighbours by each relation of feature_schema.RELATIONS."""
        rows = nodes[:, None] * RELATION_COUNT + _ROW
        return np.diff(self.arrays.indptr[rows].astype(np.int64))

    def node_types(self, nodes: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, " nodes"]:
        """Indices into feature_schema.NODE_TYPES."""
        return np.searchsorted(self._type_starts[1:-1], nodes, "right")

    def features(self, nodes: Int64[np.ndarray, " nodes"]) -> Float32[np.ndarray, "nodes features"]:
        """Rows as in feature_schema.NODE_FEATURES."""
        return self.arrays.node_features.take(nodes, axis=0)

    def name_of(self, node: int) -> str:
        """A node's name or address, whatever its type."""
        start, end = self.arrays.name_offsets[node : node + 2]
        stored = self.arrays.name_bytes[start:end].tobytes()
        is_address = self._type_starts[IP_NODE] <= node < self._type_starts[IP_NODE + 1]
        return stored.decode() if is_address else text_of(stored)

    def domain_names(
        self, nodes: Int64[np.ndarray, " nodes"]
    ) -> tuple[Int64[np.ndarray, " nodes"], UInt8[np.ndarray, " bytes"]]:
        """Lengths of the nodes' names and their bytes end to end; nodes that are no domains have none."""
        starts = self.arrays.name_offsets.take(nodes)
        lengths = self.arrays.name_offsets.take(nodes + 1) - starts
        lengths[nodes >= self._type_starts[DOMAIN_NODE + 1]] = 0
        return lengths, take_ragged(self.arrays.name_bytes, starts, lengths)

    def name_parts(self, nodes: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, "nodes 2"]:
        """Where each node's registrable label and public suffix begin in its name (see contract.graphs)."""
        return self.arrays.name_parts.take(nodes, axis=0).astype(np.int64)


def _holds(ascending: np.ndarray, value: int) -> bool:
    # Binary search: a name behind a content network has thousands of addresses.
    place = int(np.searchsorted(ascending, value))
    return place < len(ascending) and int(ascending[place]) == value
