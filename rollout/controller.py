"""One rollout moved on, tick by tick: look, decide, record the intention, act, record that it is done.

Killed between any two of these, the next tick finds the record and does the rest: acting is idempotent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from rollout.cluster import Cluster, ClusterFailed, Overtaken
from rollout.decide import Seen, aborting, decide
from rollout.evidence import Evidence
from rollout.gate_file import Judged
from rollout.gateway import Gateway
from rollout.judge import judge
from rollout.knative import Knative
from rollout.policy import Policy
from rollout.prometheus import NoEvidence, Prometheus
from rollout.state import ENDED, Phase, Release, State, StepRecord
from rollout.target import MODE_ANNOTATION, Refused, Target

_WARNINGS: Final = frozenset({Phase.ABORTING, Phase.ABORTED})
# What there was before the rollout, where no step has seen the stable version beside the canary.
_BASELINE_S: Final = 3600.0
_TRIES: Final = 5


class Controller:
    """Works on the rollout of one InferenceService."""

    def __init__(
        self,
        cluster: Cluster,
        prometheus: Prometheus,
        policy: Policy,
        name: str,
        mode: str = "auto",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cluster = cluster
        self._prometheus = prometheus
        self._policy = policy
        self._name = name
        self._mode = mode
        self._clock = clock

    def state(self) -> State | None:
        """The rollout as recorded; None where there never was one."""
        return self._cluster.read_state()[0]

    def start(
        self,
        canary: Release,
        steps: tuple[int, ...],
        shadow: tuple[int, float] = (0, 0.0),
        gate: Judged | None = None,
    ) -> State:
        """Begin: record the rollout and set up the canary, without any traffic.

        Args:
            canary: what the new version is made of; images that are not given stay the stable one's.
            steps: percent of the traffic.
            shadow: percent to mirror and seconds to do so, instead of steps.
            gate: the weights that may get traffic; None lets any.

        Raises:
            Refused: one is under way, or this is no deployment that it can work on.
        """
        running, version = self._cluster.read_state()
        if running is not None and running.phase not in ENDED:
            raise Refused(
                f"a rollout to {running.canary.model_uri} is {running.phase}: promote or abort it first"
            )
        mode = self._mode_found()
        stable = self._target(mode).stable()
        if shadow[1] and mode != "gateway":
            raise Refused("a shadow needs routes of our own: Knative has no mirror")
        images = stable.images.model_copy(update=canary.images.model_dump(exclude_none=True))
        whole = Release(model_uri=canary.model_uri, images=images)
        if whole == stable:
            raise Refused(f"the stable version is already {canary.model_uri} with these images")
        now = self._clock()
        state = State(
            name=self._name,
            mode=mode,
            steps=steps,
            mirror_percent=shadow[0],
            shadow_s=shadow[1],
            gate=gate,
            stable=stable,
            canary=whole,
            began=now,
            phase_began=now,
            last_seen=now,
        )
        return self._carry_out(state, self._cluster.write_state(state, version))

    def tick(self) -> State | None:
        """Look, decide and act once; the state after it."""
        state, version = self._cluster.read_state()
        if state is None or (state.phase in ENDED and state.applied):
            return state
        following = decide(state, self._look(state), self._policy, self._clock())
        return self._move(state, following, version)

    def abort(self, reason: str) -> State:
        """Give all traffic back to the stable version now.

        Raises:
            Refused: no rollout is under way.
        """
        for _ in range(_TRIES):
            state, version = self._under_way()
            try:
                return self._move(state, aborting(state, self._clock(), reason), version)
            except Overtaken:
                # A watcher has just moved it on; the abort is of where it stands now.
                continue
        raise Overtaken("another controller keeps moving this rollout")

    def promote(self) -> State:
        """Make the canary the stable version now, without further evidence.

        Raises:
            Refused: it is not ready, or it has not been let in yet.
        """
        state, version = self._under_way()
        if state.phase is not Phase.STEPPING or not self._target(state.mode).look(state).canary_ready:
            raise Refused(
                f"the rollout is {state.phase}; only a canary that is ready and has traffic is promoted"
            )
        return self._move(state, state.enter(Phase.PROMOTING, self._clock()), version)

    def _under_way(self) -> tuple[State, str]:
        state, version = self._cluster.read_state()
        if state is None or state.phase in ENDED:
            raise Refused("no rollout is under way")
        return state, version

    def _move(self, state: State, following: State, version: str) -> State:
        if following != state:
            version = self._cluster.write_state(following, version)
        if (following.phase, following.step) != (state.phase, state.step):
            self._announce(following)
        return following if following.applied else self._carry_out(following, version)

    def _carry_out(self, state: State, version: str) -> State:
        self._target(state.mode).apply(state)
        done = state.model_copy(update={"applied": True})
        self._cluster.write_state(done, version)
        return done

    def _announce(self, state: State) -> None:
        where = f" {state.wanted.canary_percent} %" if state.phase is Phase.STEPPING else ""
        message = f"{state.phase}{where}: {state.canary.model_uri}. {state.reason}".strip()
        reason = f"Rollout{state.phase.capitalize()}"
        self._cluster.event(self._name, reason, message, warning=state.phase in _WARNINGS)

    def _mode_found(self) -> str:
        if self._mode != "auto":
            return self._mode
        try:
            service = self._cluster.get("InferenceService", self._name)
        except ClusterFailed as failure:
            raise Refused(str(failure)) from None
        standard = service["metadata"].get("annotations", {}).get(MODE_ANNOTATION) in {
            "Standard",
            "RawDeployment",
        }
        return "gateway" if standard else "knative"

    def _target(self, mode: str) -> Target:
        return (Gateway if mode == "gateway" else Knative)(self._cluster, self._name)

    def _look(self, state: State) -> Seen:
        target = self._target(state.mode)
        sight = target.look(state)
        seen = Seen(sight.canary_ready, sight.stable_ready, sight.in_place)
        now = self._clock()
        judged = state.phase in {Phase.STEPPING, Phase.SHADOWING}
        try:
            stable, canary = (self._prometheus.builds(v, now) for v in target.versions(state))
            record = self._record(state, target, now) if judged else None
        except NoEvidence as failure:
            print(failure, flush=True)
            return seen
        return replace(seen, canary_builds=canary, stable_builds=stable, record=record)

    def _record(self, state: State, target: Target, now: float) -> StepRecord:
        start = max(state.phase_began, now - self._policy.patience.max_window_s)
        stable, canary = target.versions(state)
        after = self._prometheus.evidence(canary, start, now)
        before = self._before(state, start, now)
        if before is None:
            before = self._prometheus.evidence(stable, start, now)
        percent = state.mirror_percent or state.wanted.canary_percent
        rulings = judge(before, after, self._policy)
        return StepRecord(
            percent=percent, started=start, ended=now, stable=before, canary=after, rulings=rulings
        )

    def _before(self, state: State, start: float, now: float) -> Evidence | None:
        """Evidence of a stable version that has no traffic any more; None while it has."""
        if state.wanted.canary_percent < 100:
            return None
        if state.records:
            return state.records[-1].stable
        stable, _ = self._target(state.mode).versions(state)
        return self._prometheus.evidence(stable, min(start, state.began) - _BASELINE_S, min(now, state.began))


def watch(controller: Controller, interval_s: float, *, forever: bool) -> Iterator[State | None]:
    """Tick until the rollout has ended, or for ever; each state as it comes.

    An API that is away is waited for: what has been set stays as it is meanwhile.

    Raises:
        Overtaken: another controller works on the same rollout; never where it watches for ever.
    """
    while True:
        try:
            state = controller.tick()
        except ClusterFailed as failure:
            print(failure, flush=True)
        except Overtaken:
            if not forever:
                raise
        else:
            yield state
            if state is None or state.phase in ENDED:
                if not forever:
                    return
            elif not state.applied or state.phase is Phase.ABORTING:
                continue
        time.sleep(interval_s)
