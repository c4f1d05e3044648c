"""Sufficient rules by Alibi's AnchorTabular, bounded in rows and time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from alibi.explainers import AnchorTabular
from alibi.explainers.anchors.anchor_base import AnchorBaseBeam
from jaxtyping import Bool, Float

from explainer.rule_game import Column, RuleGame

# Whether the decision about each row is the one about the domain itself.
SameDecision = Callable[[Float[np.ndarray, "rows columns"]], Bool[np.ndarray, " rows"]]

PERCENTILES: Final = (25, 50, 75)
# Larger batches cost memory and time; a smaller tau costs more calls and finds the same rules.
DELTA: Final = 0.1
ROWS_A_TRIAL: Final = 100
FIRST_ROWS: Final = 50
SEARCH: Final = {
    "delta": DELTA,
    "tau": 0.3,
    "batch_size": ROWS_A_TRIAL,
    "coverage_samples": 1000,
    "stop_on_first": True,
    "binary_cache_size": 200,
    "cache_margin": 100,
    "n_covered_ex": 0,
}
# Chosen among many for its precision on some hundred rows, a rule is a little less precise on others: of what
# is wanting to certainty so much more is searched for than is wanted.
_GUARD: Final = 0.2
# How far below the wanted precision its lower confidence bound may lie (AnchorBaseBeam's epsilon_stop).
_MARGIN: Final = 0.05


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition: a number's interval (low, high], or that a player is as it is here."""

    column: Column
    low: float | None
    high: float | None
    value: float | None

    @property
    def text(self) -> str:
        """The condition in a person's words."""
        if not self.column.is_number:
            return self.column.player.text
        low = "" if self.low is None else f"{self.low:.4g} < "
        high = "" if self.high is None else f" <= {self.high:.4g}"
        if low and not high:
            return f"{self.column.measure} > {self.low:.4g}"
        return f"{low}{self.column.measure}{high}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions under which the decision stays, whatever else changes.

    precision  share of tried rows within the rule whose decision is the same; None before any was tried
    coverage   share of the examples that the rule covers
    met        whether the wanted precision was reached with confidence
    truncated  whether the search ended at its bound, with the best rule so far
    """

    predicates: list[Predicate]
    precision: float | None
    coverage: float | None
    met: bool
    truncated: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a search ends: rows scored, moment on the monotonic clock, conditions in the rule."""

    rows: int
    end_s: float
    conditions: int


class _Spent(Exception):
    """The search has used up its rows or its time."""


@dataclass(slots=True)
class _Tried:
    rows: int = 0
    same: int = 0
    coverage: float = 0.0


class _Search(AnchorTabular):  # type: ignore[misc]  # Alibi is untyped
    """AnchorTabular that remembers which conditions it ended with; its own answer only has their words."""

    found: tuple[int, ...] = ()

    def add_names_to_exp(self, explanation: dict[str, Any]) -> None:
        """Called once with the encoded conditions, before they become words."""
        self.found = tuple(explanation["feature"])
        super().add_names_to_exp(explanation)


class _Ledger:
    """Stands in front of Alibi's sampler: keeps count, and lets every rule be tried on rows of its own.

    Alibi judges a new rule by those rows of its parent that happen to fit. They chose the parent, so the rule
    that was luckiest with them wins and is called precise: of such rules one in seven fell short.
    """

    def __init__(self, sampler: Any) -> None:
        self._sampler = sampler
        self.tried: dict[tuple[int, ...], _Tried] = {}

    def __call__(
        self, anchor: tuple[int, tuple[int, ...]], num_samples: int, compute_labels: bool = True
    ) -> Any:
        # A rule that inherits nothing is first tried on a single row, which says nothing.
        drawn = self._sampler(anchor, max(num_samples, FIRST_ROWS), compute_labels)
        if compute_labels:
            drawn[3] = np.zeros_like(drawn[3])
            labels, coverage = drawn[2], drawn[4]
            tried = self.tried.setdefault(tuple(sorted(anchor[1])), _Tried())
            tried.rows += len(labels)
            tried.same += int(labels.sum())
            # Without a condition Alibi says -1.
            tried.coverage = float(coverage) if anchor[1] else 1.0
        return drawn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sampler, name)


class _Decision:
    """The classifier that Alibi sees: 1 where the decision is the domain's own."""

    def __init__(self, same: SameDecision, bounds: Bounds) -> None:
        self._same = same
        self._bounds = bounds
        self._rows = 0
        self.searching = False

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        # Alibi tries its classifier on a row of zeros, and then asks for the domain itself.
        if not self.searching or len(rows) == 1:
            return np.ones(len(rows), np.int64)
        self._rows += len(rows)
        if self._rows > self._bounds.rows or time.monotonic() >= self._bounds.end_s:
            raise _Spent
        return self._same(rows).astype(np.int64)


def find_rule(game: RuleGame, same: SameDecision, wanted: float, bounds: Bounds, seed: int) -> Rule:
    """Search for few conditions that keep the decision (Ribeiro et al., AAAI 2018).

    Draws from numpy's global random state.

    Args:
        game: the domain's columns.
        same: raises to end the search, except for the bounds.
        wanted: precision.
        bounds: when reached, the best rule so far is the answer.
        seed: sets the state again, as Alibi does when it is fitted.
    """
    searched = wanted + _GUARD * (1 - wanted)
    decision = _Decision(same, bounds)
    places = {
        place: ["", column.player.key] for place, column in enumerate(game.columns) if not column.is_number
    }
    names = [column.player.key for column in game.columns]
    search = _Search(decision, names, categorical_names=places, dtype=np.float64, seed=seed)
    search.fit(game.examples, disc_perc=PERCENTILES)
    ledger = _Ledger(search.samplers[0])
    search.samplers = [ledger]
    decision.searching = True
    try:
        search.explain(
            game.instance,
            threshold=searched,
            max_anchor_size=bounds.conditions,
            min_samples_start=_enough_for_nothing(searched),
            **SEARCH,
        )
    except _Spent:
        return _best_so_far(game, search, ledger, wanted)
    conditions = tuple(sorted(search.found))
    tried = ledger.tried.get(conditions, _Tried())
    return _rule(game, search, conditions, tried, met=_is_met(tried, wanted), truncated=False)


def _enough_for_nothing(wanted: float) -> int:
    """Rows that, all alike, show that no condition is needed."""
    return max(ROWS_A_TRIAL, math.ceil(math.log(DELTA) / math.log(wanted)) + 1)


def _best_so_far(game: RuleGame, search: _Search, ledger: _Ledger, wanted: float) -> Rule:
    if not ledger.tried:
        return Rule([], None, None, met=False, truncated=True)
    lower = {conditions: _lower_bound(tried) for conditions, tried in ledger.tried.items()}
    best = max(lower, key=lambda conditions: (lower[conditions], -len(conditions)))
    tried = ledger.tried[best]
    return _rule(game, search, best, tried, met=_is_met(tried, wanted), truncated=True)


def _is_met(tried: _Tried, wanted: float) -> bool:
    return tried.rows > 0 and tried.same >= wanted * tried.rows and _lower_bound(tried) > wanted - _MARGIN


def _lower_bound(tried: _Tried) -> float:
    level = np.array([math.log(1 / DELTA) / tried.rows])
    return float(AnchorBaseBeam.dlow_bernoulli(np.array([tried.same / tried.rows]), level)[0])


def _rule(
    game: RuleGame, search: _Search, conditions: tuple[int, ...], tried: _Tried, *, met: bool, truncated: bool
) -> Rule:
    allowed: dict[int, set[int] | None] = {}
    for condition in conditions:
        place = search.enc2feat_idx[condition]
        bins = search.ord_lookup.get(condition)
        # Several conditions on one number are one interval.
        allowed[place] = bins if bins is None or place not in allowed else bins & (allowed[place] or bins)
    kept_as_here = {game.columns[place].player.key for place, bins in allowed.items() if bins is None}
    predicates = [
        _predicate(game, place, bins)
        for place, bins in sorted(allowed.items())
        # A trait that is as it is here has its number, too.
        if bins is None or game.columns[place].player.key not in kept_as_here
    ]
    return Rule(predicates, tried.same / max(tried.rows, 1), tried.coverage, met, truncated)


def _predicate(game: RuleGame, place: int, bins: set[int] | None) -> Predicate:
    column = game.columns[place]
    if bins is None:
        return Predicate(column, None, None, None)
    # The borders that Alibi's discretizer computes from the same rows.
    borders = np.unique(np.percentile(game.examples[:, place], PERCENTILES))
    low = float(borders[min(bins) - 1]) if min(bins) > 0 else None
    high = float(borders[max(bins)]) if max(bins) < len(borders) else None
    return Predicate(column, low, high, float(game.instance[place]))
