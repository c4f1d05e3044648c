"""Where a rollout stands: one JSON object that survives the controller, and what each phase wants.

preparing ──ready, fits──▶ stepping ──steps pass──▶ promoting ──stable has it──▶ done
    └────────refused, late────┴──breach, not ready────┴──▶ aborting ──traffic is back──▶ aborted
preparing ──ready, fits──▶ shadowing ──time is over──▶ done
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from rollout.evidence import Evidence
from rollout.gate_file import Judged
from rollout.judge import Ruling


class Phase(StrEnum):
    """The stations of a rollout."""

    PREPARING = "preparing"
    STEPPING = "stepping"
    SHADOWING = "shadowing"
    PROMOTING = "promoting"
    ABORTING = "aborting"
    DONE = "done"
    ABORTED = "aborted"


ENDED: Final = frozenset({Phase.DONE, Phase.ABORTED})


class Images(BaseModel):
    """Images of a version by component; an absent one stays what it is."""

    model_config = ConfigDict(frozen=True)

    predictor: str | None = None
    transformer: str | None = None
    explainer: str | None = None


class Release(BaseModel):
    """What a version is made of."""

    model_config = ConfigDict(frozen=True)

    model_uri: str
    images: Images = Images()


class StepRecord(BaseModel):
    """One judged stretch: what both versions did, and what was ruled."""

    model_config = ConfigDict(frozen=True)

    percent: int
    started: float
    ended: float
    stable: Evidence
    canary: Evidence
    rulings: list[Ruling]


class State(BaseModel):
    """One rollout. Times are Unix seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    mode: str
    phase: Phase = Phase.PREPARING
    steps: tuple[int, ...]
    step: int = 0
    mirror_percent: int = 0
    shadow_s: float = 0.0
    stable: Release
    canary: Release
    model_version: str = ""
    gate: Judged | None = None
    began: float
    phase_began: float
    last_seen: float
    applied: bool = False
    reason: str = ""
    records: list[StepRecord] = Field(default_factory=list)

    @property
    def wanted(self) -> Wanted:
        """What this phase wants of the cluster."""
        return _WANTED[self.phase](self)

    def enter(self, phase: Phase, now: float, **changes: object) -> State:
        """The state at the start of a phase or of its next step."""
        return self.model_copy(
            update={"phase": phase, "phase_began": now, "last_seen": now, "applied": False, **changes}
        )


class Wanted(BaseModel):
    """The cluster as a phase wants it.

    Fields:
        canary_percent  share of the traffic that the canary answers
        mirror_percent  share that it sees without answering
        canary_runs     whether its pods exist
        stable          what the stable version is made of
    """

    model_config = ConfigDict(frozen=True)

    canary_percent: int
    mirror_percent: int = 0
    canary_runs: bool
    stable: Release


def _all_stable(state: State) -> Wanted:
    return Wanted(canary_percent=0, canary_runs=True, stable=state.stable)


def _at_step(state: State) -> Wanted:
    return Wanted(canary_percent=state.steps[state.step], canary_runs=True, stable=state.stable)


def _shadow(state: State) -> Wanted:
    return Wanted(
        canary_percent=0, mirror_percent=state.mirror_percent, canary_runs=True, stable=state.stable
    )


def _at_canary(state: State) -> Wanted:
    return Wanted(canary_percent=100, canary_runs=True, stable=state.canary)


def _stopped(state: State) -> Wanted:
    return Wanted(canary_percent=0, canary_runs=False, stable=state.stable)


def _taken_over(state: State) -> Wanted:
    stable = state.stable if state.shadow_s else state.canary
    return Wanted(canary_percent=0, canary_runs=False, stable=stable)


_WANTED: Final[Mapping[Phase, Callable[[State], Wanted]]] = {
    Phase.PREPARING: _all_stable,
    Phase.STEPPING: _at_step,
    Phase.SHADOWING: _shadow,
    Phase.PROMOTING: _at_canary,
    Phase.ABORTING: _stopped,
    Phase.DONE: _taken_over,
    Phase.ABORTED: _stopped,
}
