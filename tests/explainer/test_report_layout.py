"""Geometry of a report: bars add up, nodes keep their distance, labels have room."""

from __future__ import annotations

import math
import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainer.report_layout import (
    NARROW,
    WIDE,
    Branch,
    Frame,
    Layout,
    arrange,
    branches_of,
    chart_of,
    shortened,
)

gains = st.floats(-1, 1).map(lambda gain: round(gain, 4))


@given(st.lists(gains, min_size=1, max_size=40))
def test_bars_add_up(given_gains: list[float]) -> None:
    """However many there are, the bars together are all contributions; at most 13 are drawn, on one scale."""
    chart = chart_of([(str(place), gain) for place, gain in enumerate(given_gains)])
    assert math.fsum(bar.gain for bar in chart.bars) == pytest.approx(math.fsum(given_gains), abs=1e-9)
    assert len(chart.bars) == min(len(given_gains), 13)
    longest = max(chart.bars, key=lambda bar: abs(bar.gain))
    for bar in chart.bars:
        assert bar.left >= -1e-9
        assert bar.left + bar.width <= 100 + 1e-9
        assert (bar.left if bar.gain > 0 else bar.left + bar.width) == pytest.approx(chart.zero)
        assert bar.width * abs(longest.gain) == pytest.approx(longest.width * abs(bar.gain))


@pytest.mark.parametrize(("count", "last"), [(12, "11"), (13, "1 other"), (14, "2 others together")])
def test_the_twelve_largest_have_bars(count: int, last: str) -> None:
    """Those that are left share one bar, whose text says how many they are."""
    chart = chart_of([(str(place), 1 / (1 + place)) for place in range(count)])
    assert [bar.text for bar in chart.bars[:12]] == [str(place) for place in range(12)]
    assert chart.bars[-1].text == last


# How many neighbours, and which of them each node beyond hangs on.
shapes = st.tuples(st.integers(0, 31), st.lists(st.integers(0, 30), max_size=63))
pairs = st.lists(st.tuples(st.integers(0, 63), st.integers(0, 63)), max_size=20)


def tree_of(shape: tuple[int, list[int]]) -> list[Branch]:
    """Up to 31 neighbours with nodes beyond them, at most 64 nodes in all."""
    neighbours, hung = shape
    beyond: list[list[int]] = [[] for _ in range(neighbours)]
    for place, stem in enumerate(hung[: 63 - neighbours] if neighbours else (), neighbours + 1):
        beyond[stem % neighbours].append(place)
    return [Branch(place, tuple(far)) for place, far in enumerate(beyond, 1)]


def radius(layout: Layout, place: int) -> float:
    """Of a node's symbol; the diamond is the widest."""
    frame = layout.frame
    return 11.0 if place == 0 else 1.25 * (frame.far_radius if layout.spots[place].stem else frame.radius)


@pytest.mark.parametrize("frame", [WIDE, NARROW])
@given(shape=shapes)
def test_nodes_keep_their_distance(frame: Frame, shape: tuple[int, list[int]]) -> None:
    """However a graph is built, no two symbols touch, and all are inside the picture."""
    tree = tree_of(shape)
    layout = arrange(tree, frame)
    assert layout.spots.keys() == {
        0,
        *(each.node for each in tree),
        *(far for each in tree for far in each.beyond),
    }
    for (one, here), (other, there) in combinations(layout.spots.items(), 2):
        apart = math.hypot(here.x - there.x, here.y - there.y)
        assert apart > radius(layout, one) + radius(layout, other), (one, other)
    for place, spot in layout.spots.items():
        assert abs(spot.x) + radius(layout, place) <= frame.width / 2
        assert abs(spot.y) + radius(layout, place) <= layout.height / 2


@given(shape=shapes)
def test_labels_have_room(shape: tuple[int, list[int]]) -> None:
    """In the wide drawing every label has a line of its own, of 18 letters or more, and ends inside the picture."""
    layout = arrange(tree_of(shape), WIDE)
    for side in (1, -1):
        for far, slot in ((False, WIDE.slot), (True, WIDE.far_slot)):
            spots = [spot for spot in layout.spots.values() if spot.side == side and bool(spot.stem) == far]
            assert all(abs(spot.x) + spot.room <= WIDE.width / 2 for spot in spots)
            assert all(len(shortened("x" * 99, spot.room)) >= 18 for spot in spots)
            for one, other in combinations(spots, 2):
                assert abs(one.y - other.y) >= slot - 1e-9


@given(shape=shapes, chords=pairs)
def test_a_graph_becomes_the_tree_that_it_was_made_of(
    shape: tuple[int, list[int]], chords: list[tuple[int, int]]
) -> None:
    """Every node hangs where its first edge leads; more edges between nodes two hops away change nothing."""
    tree = tree_of(shape)
    far = sorted(place for each in tree for place in each.beyond)
    edges = [(0, each.node) for each in tree] + [(place, each.node) for each in tree for place in each.beyond]
    edges += [(far[one % len(far)], far[other % len(far)]) for one, other in chords if far]
    assert branches_of(1 + len(tree) + len(far), edges, [each.node for each in tree]) == tree


@pytest.mark.parametrize("frame", [WIDE, NARROW])
@given(shape=shapes, pairs=pairs)
def test_edges_join_their_nodes_within_the_picture(
    frame: Frame, shape: tuple[int, list[int]], pairs: list[tuple[int, int]]
) -> None:
    """A path begins at one end and ends at the other; where it bends, it stays inside."""
    layout = arrange(tree_of(shape), frame)
    for source, target in pairs:
        spots = [layout.spots[place % len(layout.spots)] for place in (source, target)]
        path = layout.path(source % len(layout.spots), target % len(layout.spots))
        drawn = [float(text) for text in re.findall(r"-?[\d.]+", path)]
        ends = sorted([drawn[:2], drawn[-2:]])
        assert ends == sorted([round(spot.x, 1), round(spot.y, 1)] for spot in spots)
        if "Q" in path:
            assert abs(0.25 * drawn[1] + 0.5 * drawn[3] + 0.25 * drawn[5]) <= layout.height / 2
