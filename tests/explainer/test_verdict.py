import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.errors import ScoringFailed
from contract.policy import Policy, actions
from contract.tensors import ACTIONS, BLOCK_PARAMETER, MONITOR_PARAMETER
from explainer.verdict import Thresholds, Verdict

# Time limits of single examples would fail on a busy machine.
relaxed = settings(deadline=None)
shares = st.floats(0, 1)
ordered = st.tuples(shares, shares).map(sorted)


def near(threshold: float) -> list[float]:
    """A threshold and the numbers next to it in single and in double precision."""
    single = np.float32(threshold)
    neighbours = [np.nextafter(single, np.float32(way)) for way in (-1, 2)]
    return [threshold, float(single), *map(float, neighbours), float(np.nextafter(threshold, 2))]


def action_of(score: float, thresholds: Thresholds) -> str:
    """What the transformer would answer."""
    answered = actions(np.array([score], np.float32), thresholds.monitor, thresholds.block)
    return str(answered[0].decode())


@relaxed
@given(shares, shares, shares)
def test_the_action_is_the_transformers(score: float, monitor: float, block: float) -> None:
    """At, beside and far from thresholds, in order or crossed, an explanation names the action of the answer."""
    thresholds = Thresholds(monitor, block)
    for value in (score, *near(monitor), *near(block)):
        assert thresholds.verdict(value).action == action_of(value, thresholds)


@relaxed
@given(ordered, shares, st.lists(shares, max_size=20))
def test_holds_is_an_action_as_severe(bounds: list[float], score: float, others: list[float]) -> None:
    """A score keeps monitor and block when it leads to at least that, and allow when it is allowed, too."""
    thresholds = Thresholds(*bounds)
    scores = [*others, *near(bounds[0]), *near(bounds[1])]
    verdict = thresholds.verdict(score)
    severity = [ACTIONS.index(action_of(value, thresholds)) for value in scores]
    own = ACTIONS.index(verdict.action)
    kept = [found == own if verdict.action == "allow" else found >= own for found in severity]
    assert verdict.holds(np.array(scores)).tolist() == kept


@relaxed
@given(ordered, shares)
def test_a_verdict_holds_for_its_own_score(bounds: list[float], score: float) -> None:
    """Whatever else is changed, the domain as it is leads to its own action."""
    for value in (score, *near(bounds[0]), *near(bounds[1])):
        assert Thresholds(*bounds).verdict(value).holds(np.array([value])).all()


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (0.2, Verdict("allow", 0.5)),
        (0.5, Verdict("monitor", 0.5)),
        (0.89, Verdict("monitor", 0.5)),
        (0.9, Verdict("block", 0.9)),
    ],
)
def test_a_verdict_names_the_threshold_that_made_it(score: float, verdict: Verdict) -> None:
    """Monitor and block are reached at their own threshold, allow is to stay below the first."""
    assert Thresholds(0.5, 0.9).verdict(score) == verdict


def test_the_operators_thresholds_go_before_the_models() -> None:
    """What a policy leaves open is what the predictor says of its model."""
    says = {MONITOR_PARAMETER: 0.4, BLOCK_PARAMETER: 0.8}
    assert Thresholds.of(Policy(), says) == Thresholds(0.4, 0.8)
    assert Thresholds.of(Policy(block=0.7), says) == Thresholds(0.4, 0.7)
    with pytest.raises(ScoringFailed, match=MONITOR_PARAMETER):
        Thresholds.of(Policy(block=0.7), {})


def test_allowed_is_not_blocked_where_thresholds_cross() -> None:
    """An operator's block threshold below the model's monitor threshold: 0.7 is blocked, so not as 0.3."""
    thresholds = Thresholds(monitor=0.9, block=0.5)
    assert thresholds.verdict(0.7).action == "block"
    assert thresholds.verdict(0.3) == Verdict("allow", 0.5)
    assert not thresholds.verdict(0.3).holds(np.array([0.7])).any()
