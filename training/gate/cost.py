"""The gate's limits of cost: time on one machine, and size."""

from __future__ import annotations

from rollout.gate_file import Number, Ruling, Verdict
from training.evaluation.report import Cost
from training.gate.policy import CostLimits


def judge_cost(new: Cost, old: Cost, limits: CostLimits, *, same_machine_only: bool) -> list[Ruling]:
    """Rulings on time and size.

    Times of two machines are never compared: such a rule fails, or with `same_machine_only` false it is shown
    and does not count.
    """
    return [_time(new, old, limits, same_machine_only=same_machine_only), _size(new, old, limits)]


def _time(new: Cost, old: Cost, limits: CostLimits, *, same_machine_only: bool) -> Ruling:
    ours, theirs, most = new.microseconds_per_graph, old.microseconds_per_graph, limits.max_microseconds_ratio
    verdict, reason = Verdict.PASSED, ""
    if new.machine != old.machine:
        verdict = Verdict.NOT_COMPARABLE
        reason = f"measured on {new.machine!r}, the baseline on {old.machine!r}: evaluate both on one machine"
    elif ours > most * theirs:
        verdict, reason = Verdict.FAILED, f"{ours:.1f} is more than {most:g} times {theirs:.1f}"
    return Ruling(
        figure="cost",
        metric="microseconds_per_graph",
        candidate=Number(value=ours),
        baseline=Number(value=theirs),
        bounds=f"at most {most:g} times the baseline's",
        verdict=verdict,
        counts=verdict is not Verdict.NOT_COMPARABLE or same_machine_only,
        reason=reason,
    )


def _size(new: Cost, old: Cost, limits: CostLimits) -> Ruling:
    small = new.weights_bytes <= limits.max_weights_bytes
    return Ruling(
        figure="cost",
        metric="weights_bytes",
        candidate=Number(value=float(new.weights_bytes)),
        baseline=Number(value=float(old.weights_bytes)),
        bounds=f"at most {limits.max_weights_bytes:,}",
        verdict=Verdict.PASSED if small else Verdict.FAILED,
        reason="" if small else f"{new.weights_bytes:,} bytes are more than {limits.max_weights_bytes:,}",
    )
