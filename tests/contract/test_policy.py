from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ScoringFailed
from contract.policy import Policy, actions, categories
from contract.tensors import ACTIONS, BLOCK_PARAMETER, CATEGORIES, MONITOR_PARAMETER, NOT_SCORED

MODEL_SAYS = {MONITOR_PARAMETER: 0.4, BLOCK_PARAMETER: 0.8}
shares = st.floats(0, 1)
scores = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20).map(
    lambda values: np.array(values, np.float32)
)


@pytest.mark.parametrize(
    ("policy", "thresholds"),
    [
        (Policy(), (0.4, 0.8)),
        (Policy(monitor=0.1), (0.1, 0.8)),
        (Policy(block=0.9), (0.4, 0.9)),
        (Policy(0.0, 1.0), (0.0, 1.0)),
    ],
)
def test_settings_override_the_model_one_by_one(policy: Policy, thresholds: tuple[float, float]) -> None:
    """A threshold that is set is used; the model's own stands in for one that is not."""
    assert policy.resolve(MODEL_SAYS) == thresholds


def test_a_set_policy_needs_no_model() -> None:
    """With both thresholds set, a model that says nothing is no failure."""
    assert Policy(0.2, 0.3).resolve({}) == (0.2, 0.3)


@pytest.mark.parametrize("said", [{}, {MONITOR_PARAMETER: "0.4", BLOCK_PARAMETER: 0.8}])
def test_a_missing_threshold_is_told(said: dict[str, object]) -> None:
    """Neither set nor told by the model: no action is invented."""
    with pytest.raises(ScoringFailed, match=MONITOR_PARAMETER):
        Policy().resolve(said)


def test_thresholds_are_reached_from_below() -> None:
    """A score equal to a threshold has reached it; where both are equal, blocking wins."""
    risk = np.array([0.4999, 0.5, 0.75, 0.8], np.float32)
    assert actions(risk, risk, 0.5, 0.75).tolist() == [b"allow", b"monitor", b"block", b"block"]
    assert actions(risk, risk, 0.5, 0.5).tolist() == [b"allow", b"block", b"block", b"block"]


def severities(risk: np.ndarray, alone: np.ndarray, monitor: float, block: float) -> list[int]:
    """0 allowed, 1 monitored, 2 blocked."""
    return [ACTIONS.index(action.decode()) for action in actions(risk, alone, monitor, block)]


@given(scores, shares, shares, shares)
def test_a_higher_risk_is_never_treated_more_mildly(
    risk: np.ndarray, other: float, monitor: float, block: float
) -> None:
    """Actions are ordered as either score is, whatever the other and the thresholds."""
    ordered, same = np.sort(risk), np.full(len(risk), other, np.float32)
    for severity in (severities(ordered, same, monitor, block), severities(same, ordered, monitor, block)):
        assert severity == sorted(severity)


@given(scores, shares, shares, shares)
def test_nobody_is_blocked_by_evidence_alone(
    risk: np.ndarray, alone: float, monitor: float, block: float
) -> None:
    """A name that is not to be blocked by itself is not blocked, however high its score."""
    own = np.full(len(risk), alone, np.float32)
    blocked = np.array(severities(risk, own, monitor, block)) == 2
    assert not (blocked & ~(own >= block)).any()


@given(scores, shares, shares, shares)
def test_nobody_is_talked_out_of_what_is_bad(
    risk: np.ndarray, alone: float, monitor: float, block: float
) -> None:
    """A name that is to be blocked by itself is at least monitored, however low its score."""
    own = np.full(len(risk), alone, np.float32)
    assert (np.array(severities(risk, own, monitor, block))[own >= block] > 0).all()


@given(scores)
def test_a_name_whose_own_risk_is_unknown_is_not_blocked(risk: np.ndarray) -> None:
    """A predictor of an older release does not say it."""
    unknown = np.full(len(risk), NOT_SCORED, np.float32)
    assert max(severities(risk, unknown, 0.0, 0.0)) < 2


@given(scores)
def test_category_is_benign_exactly_above_even_odds(benign: np.ndarray) -> None:
    """A name is benign where that is likelier than all malice together, else its likeliest malice."""
    kinds = np.outer(1 - benign, np.array([0.2, 0.5, 0.3], np.float32))
    names = categories(np.column_stack([benign, kinds]).astype(np.float32))
    assert names.tolist() == [b"benign" if odds > 0.5 else b"malware" for odds in benign]
    assert {name.decode() for name in names} <= set(CATEGORIES)
