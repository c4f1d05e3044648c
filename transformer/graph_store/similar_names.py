"""Which registered domains look alike: same skeleton, different name."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt64

from transformer.graph_store.adjacency import Edges, derived_edges

# Each name is linked with the next two of its group in hash order, so with four others at most.
RING_STEPS = (1, 2)


def similar_edges(
    skeleton_hashes: UInt64[np.ndarray, " registered"], nodes: Int64[np.ndarray, " registered"]
) -> Edges:
    """Link registered domains of one skeleton in a ring, so that a large group adds few edges.

    Args:
        skeleton_hashes: ascending, so that each group lies together.
        nodes: the registered domains, ascending within a group.
    """
    groups, first, sizes = np.unique(skeleton_hashes, return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(groups)), sizes)
    place = np.arange(len(nodes)) - first[group]
    sources, targets = [], []
    for step in RING_STEPS:
        members = np.flatnonzero(sizes[group] > step)
        other = first[group[members]] + (place[members] + step) % sizes[group[members]]
        sources.append(nodes[members])
        targets.append(nodes[other])
    source, target = np.concatenate(sources), np.concatenate(targets)
    return derived_edges("similar", source, target)
