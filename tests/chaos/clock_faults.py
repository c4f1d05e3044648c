"""Steps of the wall clock, by libfaketime: the monotonic clock goes on, as it does when a real clock is set."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from load_tests.waiting import poll
from tests.chaos.scene import Scene
from tests.services import metric

STEP_S = 3_600
AGE = "dns_risk_snapshot_age_seconds"


def library() -> str:
    """Debian's libfaketime, "" where it is not installed."""
    found = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return str(next(found, ""))


def variables(clock: Path) -> dict[str, str]:
    """The environment of a service whose clock is set by a file."""
    set_clock(clock, 0)
    return {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def set_clock(clock: Path, offset_s: int) -> None:
    """Whole at once: who reads it sees one offset or the other."""
    pending = clock.with_suffix(".pending")
    pending.write_text(f"{offset_s:+d}\n")
    pending.rename(clock)


def step_clock(scene: Scene) -> None:
    """An hour ahead and back again, while requests wait for a predictor that is stopped."""
    assert scene.clock is not None
    transformer, predictor = scene.system.transformers[0], scene.system.predictors[0]
    age_s = metric(transformer, AGE)
    for offset_s in (STEP_S, 0):
        predictor.signal(signal.SIGSTOP)
        set_clock(scene.clock, offset_s)
        time.sleep(scene.frozen_s)
        predictor.signal(signal.SIGCONT)
        # The snapshot is an hour older, or is not: the service has seen the step.
        poll(lambda ahead=offset_s > 0: (metric(transformer, AGE) - age_s > STEP_S / 2) is ahead)
