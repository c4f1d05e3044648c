from collections.abc import Callable
from decimal import Decimal
from itertools import permutations

# Before our modules, whose import hook would have all of Alibi compiled anew.
import alibi.explainers  # noqa: F401
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Bool, Float

from explainer.random_turn import random_turn
from explainer.shapley import Attribution, Worth, attribute, rounded

# Time limits of single examples would fail on a busy machine.
relaxed = settings(deadline=None)
EXACT_ROWS = 1022
SAMPLES = 512


class Table:
    """A game by the worth of each of its coalitions, that remembers who was asked for."""

    def __init__(self, worths: Float[np.ndarray, " coalitions"]) -> None:
        self._worths = worths
        self.asked: list[int] = []
        self.calls = 0

    def __call__(self, masks: Bool[np.ndarray, "rows players"]) -> Float[np.ndarray, " rows"]:
        coalitions = masks @ (1 << np.arange(masks.shape[1]))
        self.asked += coalitions.tolist()
        self.calls += 1
        return self._worths[coalitions]


def members(players: int) -> Bool[np.ndarray, "coalitions players"]:
    return (np.arange(2**players)[:, None] >> np.arange(players) & 1).astype(bool)


def any_game(players: int, seed: int) -> Float[np.ndarray, " coalitions"]:
    """Every coalition has a worth of its own: interactions of all orders."""
    return np.random.default_rng(seed).random(2**players)


def smooth_game(players: int, seed: int) -> Float[np.ndarray, " coalitions"]:
    """As a model's score: a sigmoid of what players add alone and in pairs."""
    rng = np.random.default_rng(seed)
    alone, pairs = rng.normal(0, 1, players), rng.normal(0, 0.15, (players, players))
    there = members(players).astype(float)
    return 1 / (1 + np.exp(-(there @ alone) - np.einsum("ri,ij,rj->r", there, pairs, there)))


def by_permutations(worths: Float[np.ndarray, " coalitions"], players: int) -> Float[np.ndarray, " players"]:
    """Shapley values by their definition: what each adds on arrival, averaged over all orders."""
    values, orders = np.zeros(players), list(permutations(range(players)))
    for order in orders:
        before = 0
        for player in order:
            values[player] += worths[before | 1 << player] - worths[before]
            before |= 1 << player
    return values / len(orders)


def by_subsets(worths: Float[np.ndarray, " coalitions"], players: int) -> Float[np.ndarray, " players"]:
    """The same without going through orders, for more players."""
    size = members(players).sum(axis=1)
    factorial = np.cumprod([1.0, *range(1, players + 1)])
    weight = np.append(factorial[size[:-1]] * factorial[players - size[:-1] - 1] / factorial[players], 0)
    coalitions = np.arange(2**players)
    values = []
    for player in range(players):
        without = coalitions[coalitions >> player & 1 == 0]
        values.append(float(weight[without] @ (worths[without | 1 << player] - worths[without])))
    return np.array(values)


def attributed(worth: Worth, players: int, seed: int = 0, exact_rows: int = EXACT_ROWS) -> Attribution:
    with random_turn(seed, 1.0):
        return attribute(worth, players, exact_rows, SAMPLES, seed)


def rank_correlation(one: Float[np.ndarray, " players"], other: Float[np.ndarray, " players"]) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


@pytest.mark.parametrize("players", range(1, 8))
@pytest.mark.parametrize("game", [any_game, smooth_game])
def test_few_players_get_their_shapley_values(game: Callable[[int, int], np.ndarray], players: int) -> None:
    """Up to what is enumerated nothing is estimated: the values are those of the definition."""
    worths = game(players, players)
    found = attributed(Table(worths), players)
    assert found.exact
    np.testing.assert_allclose(found.contributions, by_permutations(worths, players), rtol=0, atol=1e-9)
    np.testing.assert_allclose(by_subsets(worths, players), by_permutations(worths, players), atol=1e-12)


@pytest.mark.parametrize("players", [1, 2, 5, 10])
def test_in_an_additive_game_everybody_gets_what_they_add(players: int) -> None:
    """Where nobody's part depends on others the contributions are the parts, also at the largest exact game."""
    parts = np.random.default_rng(players).normal(size=players)
    found = attributed(lambda masks: 0.25 + masks @ parts, players)
    assert found.exact
    assert found.base == pytest.approx(0.25)
    np.testing.assert_allclose(found.contributions, parts, rtol=0, atol=1e-9)


@pytest.mark.parametrize("players", [1, 4, 10, 11, 14])
def test_base_and_contributions_make_the_score(players: int) -> None:
    """Base is the worth of nobody, score that of all, and what lies between is shared out, exact or sampled."""
    worths = smooth_game(players, seed=3)
    found = attributed(Table(worths), players)
    assert (found.base, found.score) == (worths[0], worths[-1])
    assert found.base + found.contributions.sum() == pytest.approx(found.score, abs=1e-9)


@pytest.mark.parametrize("players", [1, 2, 6, 11, 14])
def test_nobody_and_all_are_asked_for_once(players: int) -> None:
    """Their scores are not paid for twice, and all the rest is asked for in one call."""
    table = Table(smooth_game(players, seed=1))
    attributed(table, players)
    assert table.asked.count(0) == 1
    assert table.asked.count(2**players - 1) == 1
    assert table.calls <= 2


@pytest.mark.parametrize("players", [1, 2, 6, 10])
def test_exact_values_cost_every_coalition_once(players: int) -> None:
    """No coalition is scored twice where all are."""
    table = Table(smooth_game(players, seed=1))
    attributed(table, players)
    assert sorted(table.asked) == list(range(2**players))


def test_more_players_are_sampled_within_their_rows() -> None:
    """Where all coalitions are too many as many are scored as were asked for, and it is said."""
    table = Table(smooth_game(11, seed=1))
    found = attributed(table, 11)
    assert not found.exact
    assert len(table.asked) <= SAMPLES + 2


@pytest.mark.parametrize("seed", range(4))
def test_sampled_values_rank_players_as_exact_ones(seed: int) -> None:
    """Of 11 players, a quarter of the coalitions tells which matter."""
    worths = smooth_game(11, seed)
    found = attributed(Table(worths), 11)
    assert rank_correlation(found.contributions, by_subsets(worths, 11)) >= 0.9


def test_the_same_seed_gives_the_same_answer() -> None:
    """Sampled values are repeated to the last bit by their seed, whatever was drawn in between, and by no other."""
    table = Table(smooth_game(12, seed=5))
    first, between, again = (attributed(table, 12, seed) for seed in (7, 8, 7))
    assert first.contributions.tobytes() == again.contributions.tobytes()
    assert first.contributions.tobytes() != between.contributions.tobytes()


shares = st.floats(-1, 1)


@relaxed
@given(st.floats(0, 1), st.lists(shares, min_size=1, max_size=24), st.integers(2, 6))
def test_rounded_values_still_add_up(base: float, contributions: list[float], digits: int) -> None:
    """In decimal, base and contributions are the score, and none is moved by more than a unit."""
    score = base + sum(contributions)
    exact = Attribution(base, score, np.array(contributions), exact=True)
    low, high, parts = rounded(exact, digits)
    assert Decimal(str(low)) + sum(Decimal(str(part)) for part in parts) == Decimal(str(high))
    most = 1.0001 * 10.0**-digits
    assert abs(low - base) <= most / 2
    assert abs(high - score) <= most / 2
    assert all(abs(part - was) <= most for part, was in zip(parts, contributions, strict=True))


def test_scoring_every_coalition_is_exact() -> None:
    """11 players have 2046 coalitions: with samples=4096 each of them is scored, and nothing is estimated."""
    worths, asked = np.random.default_rng(0).random(2**11), set()

    def worth(masks: np.ndarray) -> np.ndarray:
        coalitions = masks @ (1 << np.arange(11))
        asked.update(coalitions.tolist())
        return worths[coalitions]

    with random_turn(0, 1.0):
        found = attribute(worth, 11, 1022, 4096, 0)
    assert len(asked) == 2**11
    assert found.exact
