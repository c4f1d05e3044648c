"""Random ego-graphs that keep the contract, for tests of what carries or scores them."""

import numpy as np

from contract.feature_schema import DOMAIN_NODE, NODE_FEATURES, NODE_TYPES, RELATIONS
from contract.graphs import DomainGraphs, union

ALPHABET = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz0123456789-.", np.uint8)


def random_graph(rng: np.random.Generator, nodes: int, edges: int) -> DomainGraphs:
    """One graph whose node 0 is the target domain."""
    node_type = rng.integers(0, len(NODE_TYPES), nodes)
    node_type[0] = DOMAIN_NODE
    lengths = np.where(node_type == DOMAIN_NODE, rng.integers(1, 40, nodes), 0)
    return DomainGraphs(
        node_features=rng.random((nodes, len(NODE_FEATURES)), dtype=np.float32),
        node_type=node_type,
        name_bytes=rng.choice(ALPHABET, lengths.sum()),
        name_offsets=np.concatenate([[0], np.cumsum(lengths)]),
        name_parts=np.sort(rng.integers(0, lengths[:, None] + 1, (nodes, 2)), axis=1),
        edge_index=rng.integers(0, nodes, (2, edges)),
        edge_type=rng.integers(0, len(RELATIONS), edges),
        node_offsets=np.array([0, nodes]),
        edge_offsets=np.array([0, edges]),
        target_nodes=np.array([0]),
    )


def random_graphs(
    rng: np.random.Generator, count: int, nodes: int | None = None, edges: int | None = None
) -> DomainGraphs:
    """`count` graphs of 1 to 12 nodes and 0 to 30 edges, or of the sizes given."""
    return union(
        [
            random_graph(
                rng, nodes or int(rng.integers(1, 13)), int(rng.integers(0, 31)) if edges is None else edges
            )
            for _ in range(count)
        ]
    )
