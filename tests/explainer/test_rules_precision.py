"""Rules that are met are as precise as they say: Alibi alone is too lucky with the rows it has seen."""

from __future__ import annotations

import math

# Before our modules, whose import hook would have all of Alibi compiled anew.
import alibi.explainers  # noqa: F401
import numpy as np
import pytest

from explainer.background import load_background
from explainer.random_turn import random_turn
from explainer.rule_game import RuleGame
from explainer.rules import Bounds, Rule, find_rule
from tests.explainer.ego_graphs import APEX, SUBDOMAIN, column_of, linked, rule_game
from tests.services import SHIPPED_MODEL

WIDE = Bounds(20_000, math.inf, 10)


@pytest.mark.parametrize("seed", range(5))
def test_half_of_what_is_needed_is_not_met(seed: int) -> None:
    """Among 48 names both of two conditions are needed: one of them alone is not answered as met."""
    game = rule_game("somename.com")
    number, kept = (column_of(game, "hyphens", number=number) for number in (True, False))
    with random_turn(seed, 1.0):
        rule = find_rule(game, lambda rows: (rows[:, number] == 0) & (rows[:, kept] == 1), 0.95, WIDE, seed)
    assert not rule.met or (rule.precision or 0) >= 0.95


def linear_rule(names: object, seed: int) -> Rule:
    """The rule of a random linear decision over the columns of some domain."""
    rng = np.random.default_rng(seed)
    cut = linked([APEX, SUBDOMAIN, "garden-login9.xyz", "www.barn2.co.uk"][seed % 4])
    with random_turn(seed, 1.0):
        game = RuleGame(cut.ego, cut.players, names)
        middle, spread = game.examples.mean(axis=0), game.examples.std(axis=0) + 1e-9
        weights = rng.normal(size=len(middle)) * (rng.random(len(middle)) < 0.5)
        own = float(((game.instance - middle) / spread) @ weights)
        margin = abs(own) * rng.random() - 1.0
        return find_rule(
            game,
            lambda rows: ((rows - middle) / spread) @ weights * np.sign(own) > margin,
            0.95,
            WIDE,
            seed,
        )


def test_met_is_never_below_what_was_wanted() -> None:
    """Over 30 linear decisions on the shipped background nearly all rules are met, none below its precision."""
    names = load_background(SHIPPED_MODEL).names
    met = [rule for rule in (linear_rule(names, seed) for seed in range(30)) if rule.met]
    assert len(met) >= 25
    assert min(rule.precision or 0 for rule in met) >= 0.95


@pytest.mark.parametrize("wanted", [0.95, 0.98, 0.99])
def test_what_is_always_so_needs_no_condition(wanted: float) -> None:
    """Whatever precision is wanted."""
    game = rule_game(APEX)
    with random_turn(0, 1.0):
        rule = find_rule(game, lambda rows: np.ones(len(rows), bool), wanted, WIDE, 0)
    assert rule.predicates == []
    assert rule.met
