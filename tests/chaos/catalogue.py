"""The faults, each with the system that it is injected into and what callers may see of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.caller_faults import leave, send_much, storm
from tests.chaos.clock_faults import step_clock
from tests.chaos.promises import Promise
from tests.chaos.scene import Scene
from tests.chaos.service_faults import (
    freeze_predictor,
    kill_predictor,
    kill_transformer,
    restart_predictors,
    restart_transformers,
    swap_model,
)
from tests.chaos.stand_in_faults import put_in_place
from tests.chaos.store_faults import fill_disk, swap_snapshot
from tests.chaos.system import Shape

# Patient callers: what they do not get has been lost, and not come late on a slow machine.
_PATIENT = (10.0,)
SHAPES = {
    "plain": Shape(),
    "rolling": Shape(replicas=2, proxied=True, default_s=10.0, deadlines=_PATIENT),
    "clock": Shape(),
}
_LATE = Promise()
_AWAY = Promise(frozenset({"429", "503", "504"}))
# These callers' deadlines are beyond what a slow predictor takes.
_PATIENT_ONLY = Promise(frozenset())
_FAULTY = Promise(frozenset({"500"}))
_MISMATCHED = Promise(frozenset({"409"}))
_GRACEFUL = Promise(frozenset(), graceful=True)
_MORTAL = Promise(frozenset({"503", "504"}), mortal=True)


@dataclass(frozen=True)
class Fault:
    """What is done, where, and what may come of it.

    Fields:
        name    for the command line
        what    for the table
        shape   one of SHAPES
        inject  does it; returns when nothing hinders the system any more
    """

    name: str
    what: str
    shape: str
    inject: Callable[[Scene], None]
    promise: Promise


FAULTS = (
    Fault("kill-predictor", "predictor killed (-9)", "plain", kill_predictor, _AWAY),
    Fault("freeze-predictor", "predictor frozen (SIGSTOP)", "plain", freeze_predictor, _AWAY),
    Fault("swap-snapshot", "graph snapshot swapped", "plain", swap_snapshot, _LATE),
    Fault("leave", "callers leave in the middle", "plain", leave, _LATE),
    Fault("storm", "2,000 connections opened and dropped", "plain", storm, _LATE),
    Fault("large-bodies", "bodies at and past the limit", "plain", send_much, _LATE),
    Fault("full-disk", "disk full while a snapshot is built", "plain", fill_disk, _LATE),
    Fault("kill-transformer", "transformer killed (-9)", "plain", kill_transformer, _MORTAL),
    Fault("roll-transformers", "transformers restarted in turn", "rolling", restart_transformers, _GRACEFUL),
    Fault("roll-predictors", "predictors restarted in turn", "rolling", restart_predictors, _GRACEFUL),
    Fault("slow-predictor", "predictor answers slowly", "rolling", put_in_place("slow"), _PATIENT_ONLY),
    Fault("garbage-predictor", "predictor answers garbage", "rolling", put_in_place("garbage"), _FAULTY),
    Fault("other-schema", "predictor of another schema", "rolling", put_in_place("schema"), _MISMATCHED),
    Fault("swap-model", "model version swapped", "rolling", swap_model, _GRACEFUL),
    Fault("step-clock", "clock stepped by an hour", "clock", step_clock, _AWAY),
)
