"""A gate's answer for people: a line a ruling, then what failed and why."""

from __future__ import annotations

from rollout.gate_file import GateFile, Number, Ruling


def table(gate: GateFile) -> str:
    """The answer as a Markdown table, with the verdict below it."""
    lines = ["| rule | candidate | baseline | bound | verdict |", "|---|---|---|---|---|"]
    lines += [_line(ruling) for ruling in gate.rulings]
    return "\n".join([*lines, "", *_reasons(gate)])


def _line(ruling: Ruling) -> str:
    verdict = str(ruling.verdict) if ruling.counts else f"{ruling.verdict}, does not count"
    numbers = " | ".join(_number(number) for number in (ruling.candidate, ruling.baseline))
    return f"| {ruling.figure} {ruling.metric} | {numbers} | {ruling.bounds} | {verdict} |"


def _number(number: Number | None) -> str:
    if number is None:
        return ""
    if number.low is None or number.high is None:
        return f"{number.value:,.1f}" if number.value != int(number.value) else f"{number.value:,.0f}"
    return f"{number.value:.4f} [{number.low:.4f}, {number.high:.4f}]"


def _reasons(gate: GateFile) -> list[str]:
    versions = f"version {gate.candidate.model_version} against {gate.baseline.model_version}"
    if gate.passed:
        return [f"passed: {versions}"]
    failing = [ruling for ruling in gate.rulings if ruling.fails]
    count = f"{len(failing)} rule{'' if len(failing) == 1 else 's'}"
    return [f"failed: {versions}, {count}", *(f"- {r.figure} {r.metric}: {r.reason}" for r in failing)]
