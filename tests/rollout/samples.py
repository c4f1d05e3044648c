"""Evidence and states to begin from."""

from __future__ import annotations

from typing import Any

from rollout.evidence import Evidence
from rollout.judge import judge
from rollout.policy import Policy, read_policy
from rollout.prometheus import Build
from rollout.state import Phase, Release, State, StepRecord

POLICY: Policy = read_policy()
GOOD = Evidence(
    requests=2000,
    failed=2,
    seconds={"0.005": 1900, "0.01": 95, "0.05": 5},
    scores={"0.05": 1500, "0.5": 300, "0.95": 200},
    actions={"allow": 1800, "monitor": 150, "block": 50},
    categories={"benign": 1800, "dga": 150, "malware": 50},
)
STABLE, CANARY = Release(model_uri="s3://m/1"), Release(model_uri="s3://m/2")
FITTING = [Build("predictor", "1", "aaaa", "2"), Build("transformer", "1", "aaaa", "")]
SERVED = [Build("predictor", "1", "aaaa", "1"), Build("transformer", "1", "aaaa", "")]


def record(canary: Evidence, percent: int = 5) -> StepRecord:
    """A step in which the stable version was good."""
    return StepRecord(
        percent=percent, started=0, ended=600, stable=GOOD, canary=canary, rulings=judge(GOOD, canary, POLICY)
    )


def state(phase: Phase = Phase.STEPPING, **changes: Any) -> State:
    """A rollout of four steps that has told the cluster what its phase wants."""
    fields: dict[str, Any] = {
        "name": "dns-risk",
        "mode": "gateway",
        "steps": (5, 25, 50, 100),
        "applied": True,
    }
    times = {"began": 0.0, "phase_began": 0.0, "last_seen": 0.0}
    return State(**fields | times | {"phase": phase, "stable": STABLE, "canary": CANARY} | changes)
