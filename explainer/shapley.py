"""Shapley values of the mask game by Alibi's KernelShap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from alibi.explainers import KernelShap
from jaxtyping import Bool, Float

# The worth of coalitions: scores of the perturbed graphs, one a row.
Worth = Callable[[Bool[np.ndarray, "rows players"]], Float[np.ndarray, " rows"]]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each player adds: base + the sum of contributions = score.

    exact: whether every coalition was scored, so that nothing was estimated.
    """

    base: float
    score: float
    contributions: Float[np.ndarray, " players"]
    exact: bool


def attribute(worth: Worth, players: int, exact_rows: int, samples: int, seed: int) -> Attribution:
    """Share the score among the players (Lundberg and Lee, NeurIPS 2017, kernel estimator).

    With all of the 2^players - 2 proper coalitions its regression is solved by the Shapley values themselves,
    so few players are enumerated and only many are sampled. Draws from numpy's global random state.

    Args:
        worth: called with few large batches; never twice for nobody and for all.
        players: how many, at least one.
        exact_rows: as many coalitions are scored where that is all of them.
        samples: coalitions scored otherwise; where that is all of them, they are.
        seed: written into Alibi's metadata; the state itself is set by whoever holds it.
    """
    ends = worth(np.array([[False] * players, [True] * players]))
    coalitions = 2**players - 2
    exact = coalitions <= max(exact_rows, samples)

    def predict(masks: np.ndarray) -> np.ndarray:
        # KernelShap asks for nobody once and for all players twice.
        if len(masks) == 1:
            return ends[[int(masks.all())]]
        return worth(masks.astype(bool))

    explainer = KernelShap(predict, link="identity", task="regression", seed=seed)
    explainer.fit(np.zeros((1, players)))
    rows = coalitions if exact else samples
    found = explainer.explain(np.ones((1, players)), nsamples=rows, l1_reg=False, silent=True)
    values = np.asarray(found.shap_values[0], np.float64).reshape(players)
    return Attribution(float(ends[0]), float(ends[1]), values, exact)


def rounded(attribution: Attribution, digits: int) -> tuple[float, float, list[float]]:
    """Base, score and contributions to so many digits, which still add up: the largest rests go up.

    >>> rounded(Attribution(0.1, 0.4, np.array([0.1004, 0.1004, 0.0992]), True), 3)
    (0.1, 0.4, [0.101, 0.1, 0.099])
    """
    unit = 10.0**-digits
    base, score = round(attribution.base / unit), round(attribution.score / unit)
    exact = attribution.contributions / unit
    floors = np.floor(exact).astype(np.int64)
    missing = score - base - int(floors.sum())
    # Solved in double precision the rests are less than one unit a player, unless scores were rounded apart.
    most, rest = divmod(missing, len(floors))
    floors += most
    floors[np.argsort(floors - exact, kind="stable")[:rest]] += 1
    return (
        round(base * unit, digits),
        round(score * unit, digits),
        [round(x * unit, digits) for x in floors.tolist()],
    )
