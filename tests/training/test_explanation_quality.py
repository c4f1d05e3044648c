"""The measures of explanations, on games whose answers are known."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.explanation_quality import (
    coalitions,
    deletion_auc,
    exact_shapley,
    leave_one_out,
    rank_correlation,
    reasons_first,
    shared_rank_correlation,
)

games = st.integers(1, 5).flatmap(
    lambda players: st.lists(st.floats(-1, 1), min_size=2**players, max_size=2**players)
)


@given(games)
def test_shapley_values_are_mean_gains_over_all_orders(worth: list[float]) -> None:
    """The definition by orders of joining and the one by coalitions agree; the gains add up."""
    game = np.array(worth)
    players = (len(game) - 1).bit_length()
    gains = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        there = 0
        for player in order:
            gains[player] += game[there | 1 << player] - game[there]
            there |= 1 << player
    values = exact_shapley(game)
    np.testing.assert_allclose(values, gains / len(orders), atol=1e-9)
    assert values.sum() == pytest.approx(game[-1] - game[0], abs=1e-9)


def test_coalitions_and_worth_have_one_order() -> None:
    """Row and index of a coalition say the same: bit p is player p."""
    for index, mask in enumerate(coalitions(4)):
        assert index == sum(1 << player for player in np.flatnonzero(mask))


def test_leaving_alone_shows_only_what_nobody_else_does() -> None:
    """Two players either of whom suffices lose nothing each; a third that adds loses that."""
    worth = np.array([float(bool(index & 3)) + 0.5 * bool(index & 4) for index in range(8)])
    assert leave_one_out(worth).tolist() == [0, 0, 0.5]
    assert exact_shapley(worth).tolist() == [0.5, 0.5, 0.5]


def test_taking_reasons_away_first_leaves_the_smallest_area() -> None:
    """Of all orders of an additive game the true one has the smallest deletion curve, for and against."""
    gains = np.array([0.05, 0.4, -0.1, 0.25])
    for sign in (1, -1):
        worth = coalitions(4) @ (sign * gains)
        best = deletion_auc(worth, reasons_first(sign * gains, worth[-1], worth[0]))
        assert best == pytest.approx(
            min(deletion_auc(worth, np.array(order)) for order in permutations(range(4)))
        )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1.0, 2.0, 3.0], [10.0, 20.0, 30.0], 1),
        ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], -1),
        ([0.0, 0.0], [0.0, 0.0], 1),
        ([0.0, 0.0], [1.0, 2.0], 0),
        ([5.0], [7.0], 1),
    ],
)
def test_rank_correlation_with_and_without_ranks(
    first: list[float], second: list[float], expected: float
) -> None:
    """Where neither list ranks anything they agree; where one does they have nothing in common."""
    assert rank_correlation(first, second) == pytest.approx(expected)


def test_only_shared_players_are_compared() -> None:
    """Players that one explanation does not have are left out."""
    first, second = {"a": 1.0, "b": 2.0, "c": 9.0}, {"b": 0.2, "a": 0.1, "d": 5.0}
    assert shared_rank_correlation(first, second) == pytest.approx(1)
