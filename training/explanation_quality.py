"""How true an explanation is: measures over the worth of coalitions, as pure functions of arrays.

A game of P players is given by `worth`, its 2^P scores: bit p of the index says whether player p is there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int64
from scipy.stats import spearmanr


def coalitions(players: int) -> Bool[np.ndarray, "coalitions players"]:
    """Every coalition, in the order of `worth`.

    >>> coalitions(2).astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    masks: Bool[np.ndarray, "coalitions players"] = (
        np.arange(2**players)[:, None] >> np.arange(players) & 1
    ).astype(bool)
    return masks


def exact_shapley(worth: Float[np.ndarray, " coalitions"]) -> Float[np.ndarray, " players"]:
    """Shapley values by their definition (Shapley 1953): the mean gain over all orders of joining.

    >>> exact_shapley(np.array([0.0, 1.0, 2.0, 3.0])).tolist()
    [1.0, 2.0]
    """
    players = (len(worth) - 1).bit_length()
    masks = coalitions(players)
    orders = [math.factorial(size) * math.factorial(players - size - 1) for size in range(players)]
    weight = np.array(orders) / math.factorial(players)
    values = np.empty(players)
    for player in range(players):
        without = np.flatnonzero(~masks[:, player])
        gain = worth[without | 1 << player] - worth[without]
        values[player] = (weight[masks[without].sum(axis=1)] * gain).sum()
    return values


def leave_one_out(worth: Float[np.ndarray, " coalitions"]) -> Float[np.ndarray, " players"]:
    """What the score loses when a single player leaves."""
    players = (len(worth) - 1).bit_length()
    return worth[-1] - worth[len(worth) - 1 - (1 << np.arange(players))]


def deletion_auc(worth: Float[np.ndarray, " coalitions"], order: Int64[np.ndarray, " players"]) -> float:
    """Mean height of the curve from the whole score down to the base while players leave in this order.

    The score counts as 1 and the base as 0, so an order that takes the reasons away first has a small area.

    >>> deletion_auc(np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 1]))
    0.25
    """
    left = len(worth) - 1 - np.cumsum(1 << order)
    curve = (np.concatenate([[worth[-1]], worth[left]]) - worth[0]) / (worth[-1] - worth[0])
    return float(((curve[1:] + curve[:-1]) / 2).mean())


def reasons_first(
    contributions: Float[np.ndarray, " players"], score: float, base: float
) -> Int64[np.ndarray, " players"]:
    """The players from the strongest reason for the score to the strongest against it."""
    return np.argsort(-np.sign(score - base) * contributions, kind="stable")


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's rho; 1 where neither list ranks anything, 0 where only one does.

    >>> float(round(rank_correlation([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]), 6))
    1.0
    """
    flat = [len(set(values)) < 2 for values in (first, second)]
    if any(flat):
        return float(all(flat))
    return float(spearmanr(first, second).statistic)


def shared_rank_correlation(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """The same over the players that both explanations have."""
    keys = [key for key in first if key in second]
    return rank_correlation([first[key] for key in keys], [second[key] for key in keys])
