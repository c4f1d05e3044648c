from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.errors import ScoringFailed
from contract.policy import Policy, actions
from contract.tensors import ACTIONS, BLOCK_PARAMETER, MONITOR_PARAMETER
from explainer.verdict import BY_NEIGHBOURS, Thresholds, Verdict

# Time limits of single examples would fail on a busy machine.
relaxed = settings(deadline=None)
shares = st.floats(0, 1)
ordered = st.tuples(shares, shares).map(sorted)


def near(threshold: float) -> list[float]:
    """A threshold and the numbers next to it in single and in double precision."""
    single = np.float32(threshold)
    neighbours = [np.nextafter(single, np.float32(way)) for way in (-1, 2)]
    return [threshold, float(single), *map(float, neighbours), float(np.nextafter(threshold, 2))]


def action_of(score: float, alone: float, thresholds: Thresholds) -> str:
    """What the transformer would answer."""
    risks = np.array([[score], [alone]], np.float32)
    return str(actions(*risks, thresholds.monitor, thresholds.block)[0].decode())


@relaxed
@given(shares, shares, shares, shares)
def test_the_action_is_the_transformers(score: float, alone: float, monitor: float, block: float) -> None:
    """At, beside and far from thresholds, in order or crossed, an explanation names the action of the answer."""
    thresholds = Thresholds(monitor, block)
    for value, own in product((score, *near(monitor), *near(block)), (alone, *near(block))):
        assert thresholds.verdict(value, own).action == action_of(value, own, thresholds)


@relaxed
@given(ordered, shares, shares, st.lists(st.tuples(shares, shares), max_size=20))
def test_kept_is_an_action_as_severe(
    bounds: list[float], score: float, alone: float, others: list[tuple[float, float]]
) -> None:
    """A score keeps monitor and block when it leads to at least that, and allow when it is allowed, too."""
    thresholds = Thresholds(*bounds)
    beside = [*near(bounds[0]), *near(bounds[1])]
    risks = [*others, *product(beside, beside)]
    verdict = thresholds.verdict(score, alone)
    severity = [ACTIONS.index(action_of(*risk, thresholds)) for risk in risks]
    own = ACTIONS.index(verdict.action)
    kept = [found == own if verdict.action == "allow" else found >= own for found in severity]
    assert thresholds.keep(verdict.action, np.array(risks).T).tolist() == kept


@relaxed
@given(ordered, shares, shares)
def test_a_verdict_holds_for_its_own_score(bounds: list[float], score: float, alone: float) -> None:
    """Whatever else is changed, the domain as it is leads to its own action."""
    for value in (score, *near(bounds[0]), *near(bounds[1])):
        thresholds = Thresholds(*bounds)
        verdict = thresholds.verdict(value, alone)
        assert thresholds.keep(verdict.action, np.array([[value], [alone]])).all()
        reached = np.float32(alone if verdict.by_name else value)
        assert (reached >= np.float32(verdict.threshold)) == (verdict.action != "allow")


@pytest.mark.parametrize(
    ("score", "alone", "verdict"),
    [
        (0.2, 0.2, Verdict("allow", 0.5)),
        (0.2, 0.89, Verdict("allow", 0.5)),
        (0.5, 0.2, Verdict("monitor", 0.5)),
        (0.89, 0.89, Verdict("monitor", 0.5)),
        (0.9, 0.9, Verdict("block", 0.9)),
        (0.9, 0.89, Verdict("monitor", 0.5, spared=BY_NEIGHBOURS)),
        (0.9, -1.0, Verdict("monitor", 0.5, spared=BY_NEIGHBOURS)),
        (0.2, 0.9, Verdict("monitor", 0.9, by_name=True)),
        (0.5, 0.9, Verdict("monitor", 0.5)),
    ],
)
def test_a_verdict_names_the_threshold_that_made_it(score: float, alone: float, verdict: Verdict) -> None:
    """Monitor and block are reached at their own threshold, allow is to stay below the first."""
    assert Thresholds(0.5, 0.9).verdict(score, alone) == verdict


def test_the_operators_thresholds_go_before_the_models() -> None:
    """What a policy leaves open is what the predictor says of its model."""
    says = {MONITOR_PARAMETER: 0.4, BLOCK_PARAMETER: 0.8}
    assert Thresholds.of(Policy(), says, "") == Thresholds(0.4, 0.8)
    assert Thresholds.of(Policy(block=0.7), says, "single label") == Thresholds(0.4, 0.7, "single label")
    with pytest.raises(ScoringFailed, match=MONITOR_PARAMETER):
        Thresholds.of(Policy(block=0.7), {}, "")


@pytest.mark.parametrize("name_score", [0.3, 0.95])
def test_what_may_never_be_blocked_is_monitored(name_score: float) -> None:
    """As the transformer does, with the reason; a rule keeps that action, too."""
    thresholds = Thresholds(0.5, 0.9, "public suffix")
    assert thresholds.verdict(0.95, name_score) == Verdict(
        "monitor", 0.5, spared="never blocked: public suffix"
    )
    assert thresholds.verdict(0.6, 0.6) == Verdict("monitor", 0.5)
    risks = np.array([[0.95, 0.6, 0.1], [0.95, 0.6, 0.1]])
    assert thresholds.keep("monitor", risks).tolist() == [True, True, False]


def test_allowed_is_not_blocked_where_thresholds_cross() -> None:
    """An operator's block threshold below the model's monitor threshold: 0.7 is blocked, so not as 0.3."""
    thresholds = Thresholds(monitor=0.9, block=0.5)
    assert thresholds.verdict(0.7, 0.7).action == "block"
    assert thresholds.verdict(0.3, 0.3) == Verdict("allow", 0.5)
    assert not thresholds.keep("allow", np.array([[0.7], [0.7]])).any()
    assert thresholds.verdict(0.7, 0.3) == Verdict("monitor", 0.5, spared=BY_NEIGHBOURS)
