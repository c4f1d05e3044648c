"""What comes next, from where a rollout stands and what is seen. Pure: no clock, no cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollout.gate_file import Judged
from rollout.judge import Verdict, overall
from rollout.policy import Policy
from rollout.prometheus import Build
from rollout.state import Phase, State, StepRecord


@dataclass(frozen=True, slots=True)
class Seen:
    """What the cluster and Prometheus say.

    Fields:
        canary_ready, stable_ready  whether KServe calls them ready, for what they are told now
        in_place                    whether weights and mirror are as this rollout last set them
        canary_builds, stable_builds  processes that are alive; None while Prometheus is away
        record                      evidence and rulings of the step so far; None while Prometheus is away
    """

    canary_ready: bool
    stable_ready: bool
    in_place: bool
    canary_builds: Sequence[Build] | None = None
    stable_builds: Sequence[Build] | None = None
    record: StepRecord | None = None


def decide(state: State, seen: Seen, policy: Policy, now: float) -> State:
    """The state to be in now; the same one where nothing is to change but what has been seen."""
    if state.phase in {Phase.STEPPING, Phase.SHADOWING, Phase.PROMOTING} and state.applied:
        if not seen.in_place:
            return aborting(state, now, "somebody else changed the traffic split")
        if not seen.canary_ready:
            return aborting(state, now, "the canary is not ready any more")
    steps = {
        Phase.PREPARING: _prepare,
        Phase.STEPPING: _step,
        Phase.SHADOWING: _shadow,
        Phase.PROMOTING: _promote,
        Phase.ABORTING: _abort,
    }
    following = steps.get(state.phase)
    return following(state, seen, policy, now) if following else state


def aborting(state: State, now: float, reason: str) -> State:
    """Traffic back to the stable version, and why."""
    return state.enter(Phase.ABORTING, now, reason=reason)


def _prepare(state: State, seen: Seen, policy: Policy, now: float) -> State:
    if not state.applied:
        return state
    # Readiness of the moment before counts for nothing: the cluster must have been told first.
    refused = ""
    if seen.canary_ready and seen.canary_builds:
        misfit = skew(seen.canary_builds, seen.stable_builds or ())
        if misfit:
            return aborting(state, now, misfit)
        version, refused = model_version(seen.canary_builds), ungated(state.gate, seen.canary_builds)
        if version and not refused:
            phase = Phase.SHADOWING if state.shadow_s else Phase.STEPPING
            return state.enter(phase, now, model_version=version, reason="")
    if now - state.phase_began > policy.patience.ready_s:
        late = f"the canary was not ready within {policy.patience.ready_s:.0f} s"
        return aborting(state, now, refused or late)
    # Waited for and not taken back: until its first scrape, what is seen may be the process before it.
    return state.model_copy(update={"reason": refused})


def skew(canary: Sequence[Build], stable: Sequence[Build]) -> str:
    """Why the canary must not get traffic: parts that do not fit, or another contract; "" where it may."""
    for field in ("contract_version", "feature_schema"):
        values = {build.service: getattr(build, field) for build in canary}
        if len(set(values.values())) > 1:
            return f"the canary's parts do not fit: {field} is {values}"
    contracts = {build.contract_version for build in (*canary, *stable)}
    if len(contracts) > 1:
        return f"canary and stable speak contracts {sorted(contracts)}: callers would notice"
    return ""


def ungated(gate: Judged | None, canary: Sequence[Build]) -> str:
    """Why the canary is not what the gate has judged; "" where it is, or no gate was asked for."""
    if gate is None:
        return ""
    judged = f"version {gate.model_version} with weights {gate.weights_sha256[:12]}"
    for build in canary:
        same = (build.model_version, build.weights_sha256) == (gate.model_version, gate.weights_sha256)
        if build.service == "predictor" and not same:
            weights = build.weights_sha256[:12] or "unknown"
            return f"the gate judged {judged}, the canary serves version {build.model_version} with {weights}"
    return ""


def model_version(builds: Sequence[Build]) -> str:
    """The one model version that the predictors serve; "" while there is none or more than one."""
    versions = {build.model_version for build in builds if build.service == "predictor"}
    return versions.pop() if len(versions) == 1 else ""


def _step(state: State, seen: Seen, policy: Policy, now: float) -> State:
    judged = _judged(state, seen, policy, now)
    if judged.phase is Phase.ABORTING or seen.record is None or not state.applied:
        return judged
    patient = now - state.phase_began >= policy.patience.min_step_s
    if patient and overall(seen.record.rulings) is Verdict.PASS:
        kept = [*state.records, seen.record]
        if state.step + 1 == len(state.steps):
            return judged.enter(Phase.PROMOTING, now, records=kept)
        return judged.enter(Phase.STEPPING, now, step=state.step + 1, records=kept)
    if now - state.phase_began > policy.patience.max_step_s:
        return aborting(judged, now, _unfinished(seen.record))
    return judged


def _unfinished(record: StepRecord) -> str:
    missing = [str(ruling) for ruling in record.rulings if ruling.verdict is Verdict.NOT_ENOUGH]
    return f"the step did not pass in time: {'; '.join(missing)}"


def _judged(state: State, seen: Seen, policy: Policy, now: float) -> State:
    """Aborting at a breach or when nothing has been seen for long, else the state with what was seen."""
    if not state.applied:
        return state
    if seen.record is None:
        if now - state.last_seen > policy.patience.blind_s:
            return aborting(
                state, now, f"no evidence for {policy.patience.blind_s:.0f} s: Prometheus is away"
            )
        return state
    if overall(seen.record.rulings) is Verdict.BREACH:
        breaches = [str(ruling) for ruling in seen.record.rulings if ruling.verdict is Verdict.BREACH]
        blamed = state.model_copy(update={"records": [*state.records, seen.record]})
        return aborting(blamed, now, "; ".join(breaches))
    return state.model_copy(update={"last_seen": now})


def _shadow(state: State, seen: Seen, policy: Policy, now: float) -> State:
    judged = _judged(state, seen, policy, now)
    if judged.phase is Phase.ABORTING or seen.record is None:
        return judged
    if state.applied and now - state.phase_began >= state.shadow_s:
        kept = [*state.records, seen.record]
        return judged.enter(Phase.DONE, now, records=kept, reason="the shadow's time is over")
    return judged


def _promote(state: State, seen: Seen, policy: Policy, now: float) -> State:
    if not state.applied:
        return state
    arrived = seen.stable_ready and model_version(seen.stable_builds or ()) == state.model_version
    if arrived:
        return state.enter(Phase.DONE, now, reason="every step passed")
    if now - state.phase_began > policy.patience.ready_s:
        return aborting(
            state, now, f"the stable version was not ready within {policy.patience.ready_s:.0f} s"
        )
    return state


def _abort(state: State, seen: Seen, _policy: Policy, now: float) -> State:
    if not state.applied:
        return state
    if not seen.in_place:
        # Whoever was overtaken may have set its own split after us.
        return state.model_copy(update={"applied": False})
    return state.enter(Phase.ABORTED, now, applied=True)
