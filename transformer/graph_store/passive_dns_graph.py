"""What sub-graph extraction needs of a graph store, so that another store can stand in.

Everything is asked for a whole batch of nodes at once. Node ids are 0 … node_count - 1; a name that the
graph does not hold has id UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

UNKNOWN: Final = -1


@runtime_checkable
class PassiveDnsGraph(Protocol):
    """A graph of domains, addresses and nameservers with ready node features."""

    @property
    def node_count(self) -> int:
        """Number of nodes, of all types."""
        ...

    def find(self, node_type: int, names: Sequence[bytes]) -> Int64[np.ndarray, " names"]:
        """The nodes of one type with these names (octets) or canonical addresses, else UNKNOWN."""
        ...

    def find_similar(
        self, labels: Sequence[str], limit: int
    ) -> tuple[Int64[np.ndarray, " labels"], Int64[np.ndarray, " total"]]:
        """Registered domains that look like each label: how many (up to limit), and their nodes, flat."""
        ...

    def neighbours(
        self,
        nodes: Int64[np.ndarray, " lists"],
        relations: Int64[np.ndarray, " lists"],
        limits: Int64[np.ndarray, " lists"],
    ) -> tuple[Int64[np.ndarray, " lists"], Int64[np.ndarray, " total"]]:
        """The first neighbours of each node by one relation: how many (up to its limit), and who, flat."""
        ...

    def has_edges(
        self,
        nodes: Int64[np.ndarray, " edges"],
        relations: Int64[np.ndarray, " edges"],
        neighbours: Int64[np.ndarray, " edges"],
    ) -> Bool[np.ndarray, " edges"]:
        """Which of these edges the graph holds."""
        ...

    def degrees(self, nodes: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, "nodes relations"]:
        """Number of neighbours by each relation of feature_schema.RELATIONS."""
        ...

    def node_types(self, nodes: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, " nodes"]:
        """Indices into feature_schema.NODE_TYPES."""
        ...

    def features(self, nodes: Int64[np.ndarray, " nodes"]) -> Float32[np.ndarray, "nodes features"]:
        """Rows as in feature_schema.NODE_FEATURES."""
        ...

    def name_of(self, node: int) -> str:
        """The text of a node's name or address, whatever its type."""
        ...

    def domain_names(
        self, nodes: Int64[np.ndarray, " nodes"]
    ) -> tuple[Int64[np.ndarray, " nodes"], UInt8[np.ndarray, " bytes"]]:
        """Lengths of the nodes' names and their octets end to end; nodes that are no domains have none."""
        ...

    def name_parts(self, nodes: Int64[np.ndarray, " nodes"]) -> Int64[np.ndarray, "nodes 2"]:
        """Where each node's registrable label and public suffix begin in its octets (see contract.graphs)."""
        ...
