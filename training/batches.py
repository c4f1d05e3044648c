"""Mini-batches of ego-graphs: pick some, forget some of their evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int64

from contract.feature_schema import GRAPH_FEATURES
from contract.graphs import DomainGraphs
from contract.ragged import offsets_of, ragged_ranges


def take(graphs: DomainGraphs, chosen: Int64[np.ndarray, " chosen"]) -> DomainGraphs:
    """The chosen graphs as a batch, in the order chosen; a graph may be chosen more than once."""
    nodes, node_offsets = _ranges(graphs.node_offsets, chosen)
    edges, edge_offsets = _ranges(graphs.edge_offsets, chosen)
    names, name_offsets = _ranges(graphs.name_offsets, nodes)
    # Each graph's nodes move together, from where they began to where they begin now.
    shift = node_offsets[:-1] - graphs.node_offsets[chosen]
    return DomainGraphs(
        node_features=graphs.node_features[nodes],
        node_type=graphs.node_type[nodes],
        name_bytes=graphs.name_bytes[names],
        name_offsets=name_offsets,
        name_parts=graphs.name_parts[nodes],
        edge_index=graphs.edge_index[:, edges] + np.repeat(shift, np.diff(edge_offsets)),
        edge_type=graphs.edge_type[edges],
        node_offsets=node_offsets,
        edge_offsets=edge_offsets,
        target_nodes=graphs.target_nodes[chosen] + shift,
    )


def _ranges(
    offsets: Int64[np.ndarray, " _"], chosen: Int64[np.ndarray, " _"]
) -> tuple[Int64[np.ndarray, " _"], Int64[np.ndarray, " _"]]:
    """Places of all items of the chosen rows, and where each row's items begin among them."""
    starts = offsets[chosen]
    lengths = offsets[chosen + 1] - starts
    return ragged_ranges(starts, lengths), offsets_of(lengths)


def forget_evidence(
    graphs: DomainGraphs, rng: np.random.Generator, share: Float[np.ndarray, " graphs"]
) -> DomainGraphs:
    """Drop edges at random, each together with its reverse; at a share of 1 a graph is a lone name.

    Args:
        graphs: the batch; sub-graphs that lose their link to the target stay and say nothing.
        rng: decides which edges go.
        share: of each graph's edges, how many to drop.
    """
    kept = _kept_edges(graphs, rng, np.repeat(share, np.diff(graphs.edge_offsets)))
    counts = np.add.reduceat(np.append(kept, False), graphs.edge_offsets[:-1], dtype=np.int64)
    counts[np.diff(graphs.edge_offsets) == 0] = 0
    features = graphs.node_features.copy()
    # A name without any evidence has degree features of zero, in training as in serving.
    features[graphs.target_nodes[counts == 0], -len(GRAPH_FEATURES) :] = 0.0
    return replace(
        graphs,
        node_features=features,
        edge_index=graphs.edge_index[:, kept],
        edge_type=graphs.edge_type[kept],
        edge_offsets=np.concatenate([[0], np.cumsum(counts)]),
    )


def _kept_edges(
    graphs: DomainGraphs, rng: np.random.Generator, drop: Float[np.ndarray, " edges"]
) -> Bool[np.ndarray, " edges"]:
    # An edge and its reverse share their two ends, so a draw by ends keeps or drops both.
    low, high = graphs.edge_index.min(axis=0), graphs.edge_index.max(axis=0)
    _, pair = np.unique(low * graphs.node_count + high, return_inverse=True)
    draws = rng.random(pair.max(initial=-1) + 1)
    return np.asarray(draws[pair] >= drop)


class Batches:
    """Batches of rows in random order, each row once an epoch; short rests are left out.

    Which rows a batch holds follows from the seed and its number alone.

    >>> Batches(np.arange(4), 2, seed=0).at(1).shape
    (2,)
    """

    def __init__(self, rows: Int64[np.ndarray, " rows"], size: int, seed: int) -> None:
        self._rows, self._size, self._seed = rows, min(size, len(rows)), seed
        self._an_epoch = len(rows) // self._size
        self._epoch, self._order = -1, rows

    def at(self, step: int) -> Int64[np.ndarray, " batch"]:
        """The rows of one batch."""
        epoch, place = divmod(step, self._an_epoch)
        if epoch != self._epoch:
            rng = np.random.default_rng((self._seed, epoch))
            self._epoch, self._order = epoch, rng.permutation(self._rows)
        return self._order[place * self._size : (place + 1) * self._size]
