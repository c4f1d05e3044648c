from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from contract.errors import DeadlineExceeded
from explainer.random_turn import others_turn, random_turn

ROUNDS = 20
# Far longer than anything here takes: a broken turn fails instead of hanging.
LONG_S = 20.0


def draw() -> float:
    return float(np.random.random())  # noqa: NPY002 - the state that is taken turns with


def draws(seed: int, between: Callable[[], object]) -> list[float]:
    """What one explanation draws, letting others have their turn after each number."""
    drawn = []
    with random_turn(seed, LONG_S):
        for _ in range(ROUNDS):
            drawn.append(draw())
            with others_turn():
                between()
    return drawn


def alone_first(seed: int) -> float:
    return float(np.random.RandomState(seed).random_sample())


def fail_after_a_draw() -> None:
    draw()
    raise ZeroDivisionError


def alone(seed: int) -> list[float]:
    return draws(seed, lambda: None)


def test_explanations_that_alternate_draw_what_each_would_alone() -> None:
    """Threads that meet after each number they draw do not disturb one another's sequences."""
    seeds = (1, 2, 3)
    met = Barrier(len(seeds), timeout=LONG_S)
    with ThreadPoolExecutor(len(seeds)) as threads:
        together = list(threads.map(lambda seed: draws(seed, met.wait), seeds))
    assert together == [alone(seed) for seed in seeds]
    assert len({tuple(drawn) for drawn in together}) == len(seeds)


def test_a_turn_begins_at_its_seed() -> None:
    """The same seed draws the same numbers, whatever was drawn before."""
    first = alone(5)
    draw()
    assert alone(5) == first
    assert alone(6) != first


def test_others_may_seed_and_draw_as_they_like() -> None:
    """The sequence goes on where it was, also when another turn was taken in between."""
    assert draws(5, lambda: alone(9)) == alone(5)


def test_a_turn_that_is_not_free_in_time_is_refused() -> None:
    """Whoever waits no longer than their deadline hears that it has passed."""
    with random_turn(0, LONG_S):
        for wait_s in (0.0, 0.01):
            with pytest.raises(DeadlineExceeded, match="deadline"), random_turn(0, wait_s):
                pass
        assert draw() == alone_first(0)
    with random_turn(0, 0.0):
        pass


def test_whoever_never_gives_up_gets_a_turn() -> None:
    """A deadline that does not pass is a wait like any other."""
    with random_turn(4, float("inf")):
        assert draw() == alone_first(4)


def test_a_failed_turn_is_free_for_others() -> None:
    """An error within a turn comes through and leaves the state to whoever is next."""
    with pytest.raises(ZeroDivisionError), random_turn(0, LONG_S):
        raise ZeroDivisionError
    with random_turn(0, 0.0):
        pass


def test_a_failure_while_others_have_their_turn_comes_back_to_it() -> None:
    """When scoring fails the explanation holds the state again, as it was, and frees it once."""
    with random_turn(7, LONG_S):
        drawn = [draw()]
        with pytest.raises(ZeroDivisionError), others_turn():
            fail_after_a_draw()
        drawn.append(draw())
        with pytest.raises(DeadlineExceeded), random_turn(0, 0.0):
            pass
    assert drawn == alone(7)[:2]
    with random_turn(0, 0.0):
        pass
