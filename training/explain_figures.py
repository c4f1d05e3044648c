"""The figures that explanations are judged by, each with the goal it has to reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from tqdm import tqdm

from training.explain_speed import answered_alike, p95_ms, under_load
from training.explained_game import ExplainedGame, contributions_of
from training.explanation_quality import (
    deletion_auc,
    exact_shapley,
    leave_one_out,
    rank_correlation,
    reasons_first,
    shared_rank_correlation,
)
from training.held_out_rules import HeldOutNames, holds_for_itself
from training.served import Explanations

# A score this close to the base leaves nothing to delete.
WORTH_DELETING: Final = 0.1
RANDOM_ORDERS: Final = 20
OTHER_SEEDS: Final = (1, 2, 3)
# Domains that each method is asked about twice.
ASKED_TWICE: Final = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, the goal it has to reach, and over what it was measured."""

    what: str
    value: float
    goal: float
    at_most: bool = False
    over: str = ""

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.value <= self.goal if self.at_most else self.value >= self.goal


def truth(games: Sequence[ExplainedGame], rng: np.random.Generator) -> list[Figure]:
    """Agreement with exact Shapley values, additivity, and what deleting the reasons does to the score."""
    small = [game for game in games if game.worth is not None]
    sampled = [game for game in small if not game.answer["exact"]]
    return [
        Figure(
            "rank correlation with exact Shapley values",
            _agreement(small),
            0.95,
            over=f"{len(small)} graphs of ≤ 12 players",
        ),
        Figure(
            "the same, where coalitions were sampled",
            _agreement(sampled),
            0.95,
            over=f"{len(sampled)} of them",
        ),
        Figure(
            "largest additivity error",
            max(map(_additivity, games)),
            1e-3,
            at_most=True,
            over=f"{len(games)} domains",
        ),
        *_deletion([game for game in small if _is_worth_deleting(game)], rng),
    ]


def _agreement(games: Sequence[ExplainedGame]) -> float:
    exact = [exact_shapley(game.worth) for game in games if game.worth is not None]
    pairs = zip(games, exact, strict=True)
    # Compared to the digits that are answered: players that are alike share a rank.
    return _mean([rank_correlation(game.values.tolist(), values.round(4).tolist()) for game, values in pairs])


def _mean(values: Sequence[float | bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _additivity(game: ExplainedGame) -> float:
    return abs(game.answer["base_value"] + float(game.values.sum()) - game.answer["score"])


def _is_worth_deleting(game: ExplainedGame) -> bool:
    return game.worth is not None and abs(float(game.worth[-1] - game.worth[0])) >= WORTH_DELETING


def _deletion(games: Sequence[ExplainedGame], rng: np.random.Generator) -> list[Figure]:
    ours, single, chance = [], [], []
    for game in games:
        worth = np.asarray(game.worth)
        ours.append(deletion_auc(worth, reasons_first(game.values, worth[-1], worth[0])))
        single.append(deletion_auc(worth, reasons_first(leave_one_out(worth), worth[-1], worth[0])))
        orders = [rng.permutation(len(game.values)) for _ in range(RANDOM_ORDERS)]
        chance.append(_mean([deletion_auc(worth, order) for order in orders]))
    over = f"{len(games)} graphs whose score is ≥ {WORTH_DELETING} from the base"
    return [
        Figure("deletion AUC, random order minus ours", _mean(chance) - _mean(ours), 0.3, over=over),
        Figure("deletion AUC, leave-one-out minus ours", _mean(single) - _mean(ours), 0.0, over=over),
    ]


def stability(
    games: Sequence[ExplainedGame], domains: Sequence[str], explanations: Explanations
) -> list[Figure]:
    """Whether other seeds give the same ranking, and the same request the same answer."""
    drawn = [(game, domain) for game, domain in zip(games, domains, strict=True) if not game.answer["exact"]]
    correlations = [
        shared_rank_correlation(game.contributions, contributions_of(explanations.explain(domain, seed=seed)))
        for game, domain in drawn
        for seed in OTHER_SEEDS
    ]
    some = domains[:: max(1, len(domains) // ASKED_TWICE)]
    asked = [(domain, method) for method in ("shap", "anchor") for domain in some]
    alike = [answered_alike(explanations, domain, method) for domain, method in asked]
    return [
        Figure(
            "rank correlation between seeds",
            _mean(correlations),
            0.9,
            over=f"{len(drawn)} domains of > 10 players",
        ),
        Figure("same request, same bytes", _mean(alike), 1.0, over=f"{len(asked)} requests asked twice"),
    ]


def rules(domains: Sequence[str], explanations: Explanations, held_out: HeldOutNames) -> list[Figure]:
    """Whether rules hold: for the domain itself, as often as wanted, and on names never seen."""
    progress = tqdm(domains, desc="rules found and tried", unit="rules", disable=None)
    answers = [explanations.explain(domain, method="anchor") for domain in progress]
    precise = [held_out.precision(domain, answer) for domain, answer in zip(domains, answers, strict=True)]
    over = f"{len(answers)} domains"
    return [
        Figure(
            "anchors that hold for their own domain",
            _mean(list(map(holds_for_itself, answers))),
            1.0,
            over=over,
        ),
        Figure(
            "anchors that ended at their bound",
            _mean([answer["truncated"] for answer in answers]),
            0.1,
            at_most=True,
            over=over,
        ),
        Figure(
            "anchors that reach their precision",
            _mean([answer["met"] for answer in answers]),
            0.95,
            over=over,
        ),
        Figure(
            "precision of anchors on held-out names",
            _mean(precise),
            0.95,
            over=f"{over}, 256 variations each",
        ),
    ]


def speed(domains: Sequence[str], explanations: Explanations) -> list[Figure]:
    """How long explanations take through the service."""
    load = under_load(explanations, domains, "shap")
    searching = under_load(explanations, domains, "anchor")
    alone = f"{len(domains)} domains, one request in flight"
    busy = "8 requests in flight, 10 s"
    return [
        Figure("p95 of shap, ms", p95_ms(explanations, domains, "shap"), 150.0, at_most=True, over=alone),
        Figure(
            "p95 of anchor, ms", p95_ms(explanations, domains, "anchor"), 2000.0, at_most=True, over=alone
        ),
        Figure("shap explanations a second", load.explanations_per_s, 10.0, over=busy),
        Figure("liveness probe under shap, p99, ms", load.probe_p99_ms, 50.0, at_most=True, over=busy),
        Figure("liveness probe under anchor, p99, ms", searching.probe_p99_ms, 50.0, at_most=True, over=busy),
    ]


def agreements_with(
    games: Sequence[ExplainedGame], domains: Sequence[str], explanations: Explanations
) -> list[float]:
    """The rank correlation of each of the model's explanations with what is answered now."""
    others = [contributions_of(explanations.explain(domain)) for domain in domains]
    pairs = zip(games, others, strict=True)
    return [shared_rank_correlation(game.contributions, other) for game, other in pairs]


def randomised(shuffles: Sequence[Sequence[float]]) -> Figure:
    """How much the explanations of models with shuffled weights are like those of the model.

    Args:
        shuffles: for each shuffled model, the rank correlation of every domain's explanations.
    """
    means = [abs(_mean(shuffle)) for shuffle in shuffles]
    single = _mean([abs(correlation) for shuffle in shuffles for correlation in shuffle])
    return Figure(
        "size of the mean rank correlation with models of shuffled weights",
        _mean(means),
        0.4,
        at_most=True,
        over=f"{len(shuffles[0])} domains, {len(shuffles)} shuffles; largest {max(means):.2f}, "
        f"mean size of single domains {single:.2f}",
    )
