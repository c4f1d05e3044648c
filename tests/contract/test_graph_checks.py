from dataclasses import replace

import numpy as np
import pytest

from contract.errors import InvalidTensors
from contract.feature_schema import NODE_FEATURES, RELATIONS
from contract.graph_checks import from_tensors, validate
from contract.graphs import DomainGraphs
from tests.graphs import random_graphs


def spoiled(name: str, place: object, value: float) -> dict[str, np.ndarray]:
    tensors = {
        key: array.copy()
        for key, array in random_graphs(np.random.default_rng(3), 3, nodes=4, edges=5).tensors().items()
    }
    tensors[name][place] = value
    return tensors


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        (
            "node_offsets",
            0,
            1,
            r"node_offsets: expected to run from 0 to the number of nodes \(12\), got 1 to 12",
        ),
        ("node_offsets", 1, 9, r"node_offsets: expected strictly ascending .* got 9 before 8 at 1"),
        ("node_offsets", 1, 0, r"node_offsets: expected strictly ascending .* got 0 before 0 at 0"),
        ("node_offsets", 1, -(2**63), r"node_offsets: expected strictly ascending"),
        (
            "edge_offsets",
            3,
            14,
            r"edge_offsets: expected to run from 0 to the number of edges \(15\), got 0 to 14",
        ),
        ("edge_offsets", 1, 11, r"edge_offsets: expected ascending, got 11 before 10 at 1"),
        ("name_offsets", -1, 10**6, r"name_offsets: expected to run from 0 to the number of bytes"),
        ("name_parts", (1, 1), 300, r"name_parts: expected 0 <= label <= suffix <= .* 300 at node 1"),
        ("node_type", 2, 3, r"node_type: expected values in \[0, 3\), got 3 at \[2\]"),
        ("edge_type", 0, -1, rf"edge_type: expected values in \[0, {len(RELATIONS)}\), got -1 at \[0\]"),
        ("target_nodes", 1, 3, r"target_nodes: expected values in \[4, 8\), got 3 at \[1\]"),
        ("edge_index", (1, 5), 8, r"edge_index: expected values in \[4, 8\), got 8 at \[1, 5\]"),
        ("node_features", (1, 0), np.nan, r"node_features: expected finite values, got nan at \[1, 0\]"),
        (
            "node_features",
            (1, 0),
            -2e6,
            r"node_features: expected values up to 1e\+06 in size, got -2000000.0",
        ),
    ],
)
def test_tensors_that_break_the_contract_are_refused(
    name: str, place: object, value: float, message: str
) -> None:
    """The refusal says which tensor, what was expected, what came and where."""
    with pytest.raises(InvalidTensors, match=message):
        from_tensors(spoiled(name, place, value))


@pytest.mark.parametrize(
    ("name", "length", "message"),
    [
        ("edge_type", 4, r"edge_index: expected length 4 .* got 5"),
        ("name_offsets", 4, r"name_offsets: expected length 5 \(nodes \+ 1\), got 4"),
        ("edge_offsets", 1, r"edge_offsets: expected length 2 \(graphs \+ 1\), got 1"),
        ("target_nodes", 0, r"node_offsets: expected length 1 .* got 2"),
        ("node_features", 3, r"node_features: expected length 4 .* got 3"),
    ],
)
def test_lengths_must_agree(name: str, length: int, message: str) -> None:
    """Tensors that belong together but differ in length are refused by name."""
    tensors = dict(random_graphs(np.random.default_rng(3), 1, nodes=4, edges=5).tensors())
    tensors[name] = tensors[name][:length]
    with pytest.raises(InvalidTensors, match=message):
        from_tensors(tensors)


def test_no_graph_at_all_is_refused() -> None:
    """A request without graphs says so instead of answering nothing."""
    empty = DomainGraphs(
        np.zeros((0, len(NODE_FEATURES)), np.float32),
        np.zeros(0, np.int64),
        np.zeros(0, np.uint8),
        np.zeros(1, np.int64),
        np.zeros((0, 2), np.int64),
        np.zeros((2, 0), np.int64),
        np.zeros(0, np.int64),
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        np.zeros(0, np.int64),
    )
    with pytest.raises(InvalidTensors, match="at least one graph"):
        validate(empty)


def test_addresses_carry_no_name() -> None:
    """A name on a node that is not a domain is refused, or the model would read an address."""
    graphs = random_graphs(np.random.default_rng(3), 1, nodes=4, edges=0)
    with pytest.raises(InvalidTensors, match="names on domain nodes only, got one at node 0"):
        validate(replace(graphs, node_type=np.ones(4, np.int64)))
