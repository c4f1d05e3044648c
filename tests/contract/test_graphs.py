import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.graph_checks import validate
from contract.graphs import GRAPH_INPUTS, DomainGraphs, split, union
from tests.graphs import random_graphs


def assert_same(left: DomainGraphs, right: DomainGraphs) -> None:
    for name, array in left.tensors().items():
        np.testing.assert_array_equal(array, right.tensors()[name], err_msg=name)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_split_undoes_union(sizes: list[int], seed: int) -> None:
    """Batches joined and cut at the same sizes are the batches."""
    rng = np.random.default_rng(seed)
    batches = [random_graphs(rng, count) for count in sizes]
    joined = union(batches)
    validate(joined)
    for before, after in zip(batches, split(joined, sizes), strict=True):
        assert_same(before, after)


def test_union_is_associative() -> None:
    """Joining in two steps gives what joining at once gives."""
    rng = np.random.default_rng(1)
    a, b, c = (random_graphs(rng, 2) for _ in range(3))
    assert_same(union([union([a, b]), c]), union([a, b, c]))


def test_split_refuses_sizes_that_do_not_sum_up() -> None:
    """Cutting three graphs into two and two is an error, not a silent loss."""
    with pytest.raises(ValueError, match="sizes sum to 4, the batch has 3"):
        split(random_graphs(np.random.default_rng(0), 3), [2, 2])


def test_wire_names_are_the_fields() -> None:
    """The contract's tensors are the dataclass's fields, in the same order."""
    graphs = random_graphs(np.random.default_rng(0), 1)
    assert [spec.name for spec in GRAPH_INPUTS] == list(graphs.tensors())
    for spec in GRAPH_INPUTS:
        array = graphs.tensors()[spec.name]
        assert spec.admits(array.shape), spec.name
        assert spec.dtype == array.dtype, spec.name
