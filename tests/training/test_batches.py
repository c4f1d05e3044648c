import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contract.feature_schema import GRAPH_FEATURES
from contract.graph_checks import validate
from contract.graphs import DomainGraphs, split, union
from tests.graphs import random_graph, random_graphs
from training.batches import Batches, forget_evidence, take


def assert_same(left: DomainGraphs, right: DomainGraphs) -> None:
    for name, array in left.tensors().items():
        np.testing.assert_array_equal(array, right.tensors()[name], err_msg=name)


@given(st.integers(1, 6), st.lists(st.integers(0, 100), min_size=1, max_size=8), st.integers(0, 99))
def test_taking_is_splitting_and_joining(count: int, picks: list[int], seed: int) -> None:
    """The chosen graphs are what cutting the batch apart and joining those pieces gives."""
    graphs = random_graphs(np.random.default_rng(seed), count)
    chosen = np.array([pick % count for pick in picks])
    singles = split(graphs, [1] * count)
    assert_same(take(graphs, chosen), union([singles[place] for place in chosen]))


def test_forgetting_everything_leaves_lone_names() -> None:
    """At a share of 1 no edge is left and the target's degrees are those of an unknown name."""
    rng = np.random.default_rng(2)
    graphs = random_graphs(rng, 5)
    alone = forget_evidence(graphs, rng, np.ones(5))
    validate(alone)
    assert alone.edge_count == 0
    assert not alone.node_features[alone.target_nodes, -len(GRAPH_FEATURES) :].any()


def test_forgetting_nothing_changes_nothing() -> None:
    """At a share of 0 the batch stays as it is."""
    rng = np.random.default_rng(2)
    graphs = union([random_graph(rng, 4, 6) for _ in range(3)])
    assert_same(forget_evidence(graphs, rng, np.zeros(3)), graphs)


def test_an_edge_goes_with_its_reverse() -> None:
    """Both directions of an edge are kept or both are dropped."""
    rng = np.random.default_rng(2)
    half = random_graph(rng, 30, 40)
    both = DomainGraphs(
        **{
            **half.tensors(),
            "edge_index": np.concatenate([half.edge_index, half.edge_index[::-1]], axis=1),
            "edge_type": np.concatenate([half.edge_type, half.edge_type]),
            "edge_offsets": np.array([0, 80]),
        }
    )
    left = forget_evidence(both, rng, np.full(1, 0.5))
    validate(left)
    forth = {tuple(edge) for edge in left.edge_index.T.tolist()}
    assert 0 < left.edge_count < 80
    assert forth == {(target, source) for source, target in forth}


def test_an_epoch_holds_each_row_once() -> None:
    """Batches of one epoch share no row."""
    batches = Batches(np.arange(10), 3, seed=0)
    seen = np.concatenate([batches.at(step) for step in range(3)])
    assert len(set(seen.tolist())) == 9


def test_a_batch_depends_on_its_number_alone() -> None:
    """Asked for a batch in the middle, a new object gives what another gave on its way there."""
    first, second = Batches(np.arange(10), 3, seed=4), Batches(np.arange(10), 3, seed=4)
    passed = [first.at(step) for step in range(8)]
    np.testing.assert_array_equal(passed[7], second.at(7))
    assert len({tuple(batch) for batch in passed}) == 8
