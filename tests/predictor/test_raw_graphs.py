from __future__ import annotations

import numpy as np
import pytest

from contract.graphs import GRAPH_INPUTS, DomainGraphs, split, union
from predictor.raw_graphs import BrokenRequests, RawGraphs, cut, joined
from tests.graphs import random_graphs

GRAPHS = random_graphs(np.random.default_rng(11), 24)
SIZES = [1, 5, 1, 1, 9, 7]


def parts_of(graphs: DomainGraphs) -> list[bytes]:
    """The raw contents of a request."""
    arrays = graphs.tensors()
    return [arrays[spec.name].tobytes() for spec in GRAPH_INPUTS]


def raw(graphs: DomainGraphs) -> RawGraphs:
    """A request as it is cut out of its message."""
    request = cut(parts_of(graphs))
    assert request is not None
    return request


def spoiled(graphs: DomainGraphs, name: str, value: int, place: int = -1) -> RawGraphs:
    """The same with another value somewhere in one tensor."""
    arrays = {key: array.copy() for key, array in graphs.tensors().items()}
    arrays[name].ravel()[place] = value
    return raw(DomainGraphs(**arrays))


def assert_same(one: DomainGraphs, other: DomainGraphs) -> None:
    """The same arrays of the same types."""
    for name, array in one.tensors().items():
        np.testing.assert_array_equal(array, other.tensors()[name], err_msg=name, strict=True)


@pytest.mark.parametrize("sizes", [SIZES, [24], [1] * 24])
def test_joined_bytes_are_the_union(sizes: list[int]) -> None:
    """Joining as bytes gives the arrays that joining as arrays gives, writable, so that torch may share them."""
    requests = split(GRAPHS, sizes)
    batch = joined([raw(request) for request in requests])
    assert_same(batch, union(requests))
    assert batch.node_features.flags.writeable


def test_checked_and_unchecked_requests_join() -> None:
    """A request of the general path in between costs nothing but speed."""
    requests = split(GRAPHS, SIZES)
    mixed = [raw(request) if place % 2 else request for place, request in enumerate(requests)]
    assert_same(joined(mixed), GRAPHS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("node_type", 99),
        ("edge_type", -1),
        ("edge_index", 10_000),
        ("edge_index", 2**63 - 1),
        ("edge_index", -(2**63)),
        ("target_nodes", 10_000),
        ("target_nodes", -1),
        ("node_offsets", 3),
        ("edge_offsets", 2**62),
        ("name_offsets", 1),
        ("name_parts", 300),
        ("node_features", np.nan),
    ],
)
@pytest.mark.parametrize("place", [0, 2, 5])
def test_the_broken_request_is_named(name: str, value: float, place: int) -> None:
    """One bad value in a batch: only its request is refused, with the words of the general path."""
    graphs = split(random_graphs(np.random.default_rng(12), 24, edges=4), SIZES)
    requests = [raw(request) for request in graphs]
    requests[place] = spoiled(graphs[place], name, value)  # type: ignore[arg-type]
    with pytest.raises(BrokenRequests) as caught:
        joined(requests)
    assert list(caught.value.errors) == [place]
    assert str(caught.value.errors[place]).startswith(name)


def test_a_neighbour_cannot_be_reached() -> None:
    """An edge into the next request's nodes, or offsets that reach into it, would mix two callers' scores."""
    first, second = split(random_graphs(np.random.default_rng(13), 2, nodes=5, edges=6), [1, 1])
    for name, value in (("edge_index", 5), ("target_nodes", 5), ("node_offsets", 10)):
        with pytest.raises(BrokenRequests) as caught:
            joined([spoiled(first, name, value), raw(second)])
        assert list(caught.value.errors) == [0]


@pytest.mark.parametrize("place", range(len(GRAPH_INPUTS)))
@pytest.mark.parametrize("change", [-1, 1, 8, -8])
def test_lengths_that_do_not_fit_are_left_to_the_general_path(place: int, change: int) -> None:
    """Too short or too long, by a byte or an element: nothing is guessed."""
    parts = parts_of(GRAPHS)
    parts[place] = parts[place][:change] if change < 0 else parts[place] + bytes(change)
    if GRAPH_INPUTS[place].name == "name_bytes":
        with pytest.raises(BrokenRequests, match="1 requests"):
            joined([cut(parts), raw(GRAPHS)])  # type: ignore[list-item]
    else:
        assert cut(parts) is None


def test_no_graphs_and_other_tensors_are_left_to_the_general_path() -> None:
    """It has the words for them."""
    assert cut(parts_of(GRAPHS)[:-1]) is None
    assert cut([b""] * len(GRAPH_INPUTS)) is None
