import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

# Before our modules, whose import hook would have all of Alibi compiled anew.
import alibi.explainers  # noqa: F401
import numpy as np
import pytest
from jaxtyping import Bool, Float

from contract.errors import CallerGone
from explainer.random_turn import random_turn
from explainer.rule_game import RuleGame
from explainer.rules import PERCENTILES, Bounds, Predicate, Rule, find_rule
from tests.explainer.ego_graphs import APEX, SUBDOMAIN, column_of, rule_game

WANTED = 0.95
WIDE = Bounds(rows=20_000, end_s=math.inf, conditions=10)
ADDRESS, SERVER = "resolves 11.0.2.1", "nameserver ns1.dns.test"
# Of shop.example.com.
NEIGHBOURS = [ADDRESS, "resolves 11.0.2.2", "apex example.com"]

Rows = Float[np.ndarray, "rows columns"]
Decisions = Bool[np.ndarray, " rows"]
# Whether the decision stays, row by row.
Decision = Callable[[np.ndarray], np.ndarray]


def on_players(game: RuleGame, *keys: str) -> Decision:
    """The decision stays where these are as they are here."""
    places = [column_of(game, key) for key in keys]
    return lambda rows: (rows[:, places] == 1).all(axis=1)


def on_chance(rows: Rows) -> Decisions:
    """No rule can keep it: it is a matter of what a rule cannot speak of."""
    return np.arange(len(rows)) % 3 == 0


class Search:
    """A search for a rule, and what it asked for."""

    def __init__(self, name: str, only: Sequence[str] = ()) -> None:
        self.game = rule_game(name, only=only)
        self.asked = 0
        self.calls = 0

    def find(self, decision: Decision, bounds: Bounds = WIDE, seed: int = 0) -> Rule:
        def same(rows: Rows) -> Decisions:
            self.calls += 1
            self.asked += len(rows)
            return decision(rows)

        with random_turn(seed, 1.0):
            return find_rule(self.game, same, WANTED, bounds, seed)


def keys_of(rule: Rule) -> list[str]:
    return [predicate.column.player.key for predicate in rule.predicates]


def inside(predicate: Predicate, values: Float[np.ndarray, " rows"]) -> Decisions:
    """Which values the condition allows."""
    if not predicate.column.is_number:
        return np.asarray(values == 1)
    above = predicate.low is None or values > predicate.low
    return np.asarray(above & (predicate.high is None or values <= predicate.high))


def fresh_precision(game: RuleGame, rule: Rule, decision: Decision) -> float:
    """The share of rows within the rule that keep the decision, of rows that the search has not drawn."""
    rng = np.random.default_rng(99)
    rows = rng.choice(game.examples, 2000)
    for predicate in rule.predicates:
        place = game.columns.index(predicate.column)
        values = game.examples[:, place]
        rows[:, place] = rng.choice(values[inside(predicate, values)], len(rows))
    return float(decision(rows).mean())


def assert_holds_here(game: RuleGame, rule: Rule) -> None:
    """The domain itself is within its rule."""
    for predicate in rule.predicates:
        place = game.columns.index(predicate.column)
        assert inside(predicate, game.instance[[place]]).all()
        assert predicate.value == (game.instance[place] if predicate.column.is_number else None)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        (APEX, [ADDRESS]),
        (APEX, ["suffix"]),
        (APEX, [SERVER, "suffix"]),
        (SUBDOMAIN, ["apex example.com"]),
        ("www.vvv-q9zkw.xyz", ["subdomain"]),
        ("www.vvv-q9zkw.xyz", ["hyphens"]),
    ],
)
def test_what_the_decision_rests_on_is_the_rule(name: str, keys: list[str], seed: int) -> None:
    """A decision that links, traits or both decide has just these conditions, in any draw."""
    search = Search(name)
    decision = on_players(search.game, *keys)
    rule = search.find(decision, seed=seed)
    assert keys_of(rule) == keys
    assert (rule.precision, rule.met, rule.truncated) == (1.0, True, False)
    assert_holds_here(search.game, rule)
    assert fresh_precision(search.game, rule, decision) >= WANTED


def test_a_decision_on_everything_takes_everything() -> None:
    """Where every neighbour is needed the rule names them all."""
    search = Search(SUBDOMAIN, NEIGHBOURS)
    rule = search.find(lambda rows: (rows == 1).all(axis=1))
    assert sorted(keys_of(rule)) == sorted(NEIGHBOURS)
    assert (rule.precision, rule.met) == (1.0, True)
    assert rule.predicates[0].text == rule.predicates[0].column.player.text


def test_a_decision_on_nothing_needs_no_condition() -> None:
    """The rule is empty, covers everything, and costs one batch."""
    search = Search(APEX)
    assert search.find(on_players(search.game)) == Rule([], 1.0, 1.0, met=True, truncated=False)
    assert search.asked == 100


@pytest.mark.parametrize(
    ("name", "low", "high", "words"),
    [
        ("some-very-long-name.com", 9, math.inf, "characters in the label > 9"),
        ("ab.com", -math.inf, 5, "characters in the label <= 5"),
        ("kitchen.com", 5, 7, "5 < characters in the label <= 7"),
    ],
)
def test_a_decision_on_a_number_is_an_interval(name: str, low: float, high: float, words: str) -> None:
    """A number is bounded where the decision turns, a quartile of the examples, on one side or on both."""
    search = Search(name)
    place = column_of(search.game, "length", number=True)
    assert np.percentile(search.game.examples[:, place], PERCENTILES).tolist() == [5, 7, 9]

    def decision(rows: Rows) -> Decisions:
        return np.asarray((rows[:, place] > low) & (rows[:, place] <= high))

    rule = search.find(decision)
    assert [predicate.text for predicate in rule.predicates] == [words]
    assert_holds_here(search.game, rule)
    assert fresh_precision(search.game, rule, decision) >= WANTED


def test_a_trait_kept_as_it_is_has_its_number() -> None:
    """A condition about a number that another condition already gives is not said."""
    search = Search("some-name.com", ["hyphens"])
    number, kept = (column_of(search.game, "hyphens", number=number) for number in (True, False))
    rule = search.find(lambda rows: (rows[:, number] == 1) & (rows[:, kept] == 1))
    assert [predicate.text for predicate in rule.predicates] == ["1 hyphen"]
    assert (rule.precision, rule.met) == (1.0, True)


def test_coverage_is_the_share_of_examples_within_the_rule() -> None:
    """A neighbour that half of the examples have covers these."""
    search = Search(APEX)
    rule = search.find(on_players(search.game, ADDRESS))
    assert rule.coverage == pytest.approx(search.game.examples[:, column_of(search.game, ADDRESS)].mean())


@pytest.mark.parametrize("rows", [100, 250, 300, 1000, 2000])
def test_the_search_ends_at_its_rows(rows: int) -> None:
    """No more rows than allowed are ever asked for, and the best rule so far is answered as cut short."""
    search = Search(APEX)
    rule = search.find(on_players(search.game, SERVER, "suffix"), replace(WIDE, rows=rows))
    assert rows - 100 < search.asked <= rows
    assert (rule.truncated, rule.met) == (True, False)
    assert 0 < (rule.precision or 0) < WANTED
    assert_holds_here(search.game, rule)


def test_a_rule_found_before_the_bound_is_met() -> None:
    """Cut short by a batch, a search may know its rule already: then it is answered, and as met."""
    answers = []
    for seed in range(6):
        whole, again = Search(APEX), Search(APEX)
        decision = on_players(whole.game, ADDRESS)
        whole.find(decision, seed=seed)
        answers.append(again.find(decision, replace(WIDE, rows=whole.asked - 100), seed))
    assert all(rule.truncated for rule in answers)
    assert {tuple(keys_of(rule)) for rule in answers if rule.met} == {(ADDRESS,)}


@pytest.mark.parametrize("conditions", [1, 2])
def test_a_rule_has_no_more_conditions_than_allowed(conditions: int) -> None:
    """Where three would be needed the best of fewer is answered, and that it falls short."""
    search = Search(SUBDOMAIN, NEIGHBOURS)
    rule = search.find(lambda rows: (rows == 1).all(axis=1), replace(WIDE, conditions=conditions))
    assert len(rule.predicates) == conditions
    assert (rule.met, rule.truncated) == (False, False)


@pytest.mark.parametrize("bounds", [replace(WIDE, rows=99), replace(WIDE, end_s=time.monotonic())])
def test_without_rows_or_time_nothing_is_tried(bounds: Bounds) -> None:
    """A search that may not even begin says so, and asks for nothing."""
    search = Search(APEX)
    assert search.find(on_chance, bounds) == Rule([], None, None, met=False, truncated=True)
    assert search.calls == 0


def test_the_search_ends_at_its_time() -> None:
    """The batch during which the time passes is the last one; what it showed counts."""
    search, end_s = Search(APEX), time.monotonic() + 1.0

    def until_the_end(rows: Rows) -> Decisions:
        while search.calls == 3 and time.monotonic() < end_s:
            pass
        return on_players(search.game, SERVER, "suffix")(rows)

    rule = search.find(until_the_end, replace(WIDE, end_s=end_s))
    assert (search.calls, rule.truncated, rule.precision is None) == (3, True, False)


@pytest.mark.parametrize("call", [1, 4])
def test_an_error_of_the_decision_comes_through(call: int) -> None:
    """When scoring fails the caller reads why, from the first batch on: nothing is wrapped or swallowed."""
    search, failure = Search(APEX), CallerGone("gone")

    def failing(rows: Rows) -> Decisions:
        if search.calls == call:
            raise failure
        return on_chance(rows)

    with pytest.raises(CallerGone) as raised:
        search.find(failing)
    assert raised.value is failure


def test_the_same_seed_finds_the_same_rule() -> None:
    """Every figure of the answer is repeated by its seed."""
    search = Search(APEX)
    decision = on_players(search.game, SERVER, "suffix")
    rules = [search.find(decision, replace(WIDE, rows=1000), seed) for seed in (1, 2, 1)]
    assert rules[0] == rules[2] != rules[1]


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Alibi's notices about categories it has no rows of do not reach the service's output."""
    for name in (APEX, SUBDOMAIN, "www.vvv-q9zkw.xyz", "localhost", "co.uk"):
        Search(name).find(on_chance, replace(WIDE, rows=3000))
    assert capsys.readouterr() == ("", "")
