"""What comes next: pure decisions, tried from every station."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.decide import Seen, aborting, decide
from rollout.evidence import Evidence
from rollout.gate_file import Judged
from rollout.prometheus import Build
from rollout.state import ENDED, Phase, State
from tests.rollout.samples import CANARY, FITTING, GOOD, POLICY, SERVED, STABLE, record, state

WELL = Seen(
    canary_ready=True,
    stable_ready=True,
    in_place=True,
    canary_builds=FITTING,
    stable_builds=SERVED,
    record=record(GOOD),
)
LATE = POLICY.patience.min_step_s + 1


def after(start: State, seen: Seen = WELL, now: float = LATE) -> State:
    return decide(start, seen, POLICY, now)


def test_a_ready_canary_that_fits_gets_its_first_traffic() -> None:
    """With the version that its predictors serve."""
    following = after(state(Phase.PREPARING))
    assert (following.phase, following.step, following.model_version) == (Phase.STEPPING, 0, "2")
    assert following.wanted.canary_percent == 5


@pytest.mark.parametrize(
    ("builds", "said"),
    [
        ([Build("predictor", "1", "aaaa", "2"), Build("transformer", "1", "bbbb", "")], "feature_schema"),
        ([Build("predictor", "2", "aaaa", "2"), Build("transformer", "2", "aaaa", "")], "contracts"),
    ],
)
def test_a_canary_that_does_not_fit_is_refused_before_any_traffic(builds: list[Build], said: str) -> None:
    """Its parts among themselves, and its contract with the stable one's."""
    following = after(state(Phase.PREPARING), replace(WELL, canary_builds=builds))
    assert following.phase is Phase.ABORTING
    assert said in following.reason


def test_a_canary_that_is_not_ready_in_time_is_given_up() -> None:
    """Until then it is waited for."""
    unready = replace(WELL, canary_ready=False)
    assert after(state(Phase.PREPARING), unready).phase is Phase.PREPARING
    late = after(state(Phase.PREPARING), unready, POLICY.patience.ready_s + 1)
    assert (late.phase, "not ready within" in late.reason) == (Phase.ABORTING, True)


JUDGED = Judged(model_version="2", weights_sha256="ab" * 32, report_sha256="cd" * 32)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (Build("predictor", "1", "aaaa", "3", "ab" * 32), "the canary serves version 3"),
        (Build("predictor", "1", "aaaa", "2", "ef" * 32), "with efefefefefef"),
        (Build("predictor", "1", "aaaa", "2"), "with unknown"),
    ],
)
def test_what_the_gate_has_not_judged_gets_no_traffic(build: Build, said: str) -> None:
    """Of another version, of other weights or of unknown ones: it is waited for, then given up, and why is shown."""
    seen = replace(WELL, canary_builds=[build, FITTING[1]])
    waiting = after(state(Phase.PREPARING, gate=JUDGED), seen)
    assert (waiting.phase, said in waiting.reason) == (Phase.PREPARING, True)
    late = after(waiting, seen, POLICY.patience.ready_s + 1)
    assert (late.phase, said in late.reason) == (Phase.ABORTING, True)


def test_what_the_gate_has_judged_gets_its_first_traffic() -> None:
    """Also where another process was seen before; the reason of the wait is gone."""
    judged = [Build("predictor", "1", "aaaa", "2", "ab" * 32), FITTING[1]]
    waited = state(Phase.PREPARING, gate=JUDGED, reason="the canary serves version 1")
    following = after(waited, replace(WELL, canary_builds=judged))
    assert (following.phase, following.reason) == (Phase.STEPPING, "")


def test_steps_are_taken_one_by_one_and_the_last_promotes() -> None:
    """5, 25, 50, 100, then the stable version becomes the canary's."""
    shares, rollout = [], state()
    for _ in range(4):
        shares.append(rollout.wanted.canary_percent)
        rollout = after(rollout).model_copy(update={"applied": True, "phase_began": 0.0})
    assert shares == [5, 25, 50, 100]
    assert rollout.phase is Phase.PROMOTING
    assert (rollout.wanted.canary_percent, rollout.wanted.stable) == (100, CANARY)
    served = replace(WELL, stable_builds=[Build("predictor", "1", "aaaa", "2")])
    rollout = rollout.model_copy(update={"model_version": "2"})
    assert after(rollout).phase is Phase.PROMOTING
    assert after(rollout, served).phase is Phase.DONE
    assert after(rollout, served).wanted.canary_percent == 0


def test_a_step_lasts_its_time_even_if_all_is_well() -> None:
    """Evidence of some seconds is none."""
    assert after(state(), now=LATE - 2).step == 0


def test_a_breach_takes_the_traffic_back_at_once_and_says_why() -> None:
    """Without waiting for the step's end; the record is kept."""
    following = after(state(), replace(WELL, record=record(Evidence(requests=30, failed=20))), now=5)
    assert following.phase is Phase.ABORTING
    assert "error ratio: breach" in following.reason
    assert following.records[-1].canary.failed == 20
    assert (following.wanted.canary_percent, following.wanted.stable) == (0, STABLE)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(WELL, canary_ready=False), "not ready any more"),
        (replace(WELL, in_place=False), "somebody else"),
    ],
)
@pytest.mark.parametrize("phase", [Phase.STEPPING, Phase.PROMOTING])
def test_no_traffic_stays_on_what_is_not_ready_or_not_ours(phase: Phase, seen: Seen, said: str) -> None:
    """Whatever else was seen."""
    following = after(state(phase), seen)
    assert following.phase is Phase.ABORTING
    assert said in following.reason


def test_no_evidence_for_long_is_no_reason_to_go_on() -> None:
    """Prometheus away: waited for a while, then the traffic goes back."""
    blind = replace(WELL, record=None, canary_builds=None, stable_builds=None)
    assert after(state(), blind, now=POLICY.patience.blind_s - 1).phase is Phase.STEPPING
    assert after(state(), blind, now=POLICY.patience.blind_s + 1).phase is Phase.ABORTING


def test_a_step_without_traffic_ends_unfinished() -> None:
    """With the rules that had not enough."""
    little = replace(WELL, record=record(Evidence(requests=3)))
    following = after(state(), little, now=POLICY.patience.max_step_s + 1)
    assert following.phase is Phase.ABORTING
    assert "did not pass in time" in following.reason


def test_a_shadow_ends_by_time_and_never_answers() -> None:
    """Its weight is 0 throughout, the mirror is gone at the end, the stable version stays."""
    shadow = state(Phase.PREPARING, shadow_s=60.0, mirror_percent=20)
    following = after(shadow).model_copy(update={"applied": True, "phase_began": 0.0})
    assert (following.phase, following.wanted.canary_percent, following.wanted.mirror_percent) == (
        Phase.SHADOWING,
        0,
        20,
    )
    assert after(following, now=30).phase is Phase.SHADOWING
    ended = after(following, now=61)
    assert (ended.phase, ended.wanted.mirror_percent, ended.wanted.stable) == (Phase.DONE, 0, STABLE)


def test_an_abort_is_over_when_the_traffic_is_really_back() -> None:
    """A split that somebody overtaken has set meanwhile is set again."""
    back = aborting(state(), 0.0, "why").model_copy(update={"applied": True})
    again = after(back, replace(WELL, in_place=False))
    assert (again.phase, again.applied) == (Phase.ABORTING, False)
    assert after(back).phase is Phase.ABORTED


sights = st.builds(
    Seen,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, FITTING, [*FITTING, Build("predictor", "1", "bbbb", "3")]]),
    st.sampled_from([None, SERVED, FITTING]),
    st.sampled_from([None, record(GOOD), record(Evidence(requests=50, failed=50)), record(Evidence())]),
)


@given(st.lists(st.tuples(sights, st.booleans(), st.floats(1, 5000)), max_size=40))
def test_whatever_is_seen_traffic_only_goes_where_it_may(story: list[tuple[Any, bool, float]]) -> None:
    """The canary's share rises only while it is seen ready; it is zero at every end; an end stays one."""
    rollout, now = state(Phase.PREPARING), 0.0
    for seen, applied, passed in story:
        now += passed
        following = decide(rollout, seen, POLICY, now)
        if following.wanted.canary_percent > rollout.wanted.canary_percent:
            assert seen.canary_ready
            assert rollout.applied
        if rollout.phase in ENDED:
            assert following.phase is rollout.phase
        if following.phase in ENDED:
            assert following.wanted.canary_percent == 0
        rollout = following.model_copy(update={"applied": following.applied or applied})
