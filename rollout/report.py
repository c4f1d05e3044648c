"""A rollout's report: all its numbers as JSON, and the ones that are looked at as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from rollout.evidence import Evidence, quantile
from rollout.state import State, StepRecord

_COLOURS: Final = {"stable": "#4477aa", "canary": "#ee6677"}


def write_report(state: State, folder: Path) -> Path:
    """Write `rollout-<time>.json` and `.png`; the path of the JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    began = datetime.fromtimestamp(state.began, UTC).strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"rollout-{began}.json"
    path.write_text(state.model_dump_json(indent=2) + "\n")
    if state.records:
        picture(state).savefig(path.with_suffix(".png"), dpi=120)
    return path


def picture(state: State) -> Figure:
    """Errors and p95 by step, scores and actions of the last one, stable beside canary."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    axes = figure.subplots(2, 2)
    outcome = f"{state.canary.model_uri}: {state.phase}"
    figure.suptitle(f"{outcome}\n{state.reason[:110]}", fontsize=10)
    last = state.records[-1]
    labels = [f"{record.percent} %" for record in state.records]
    _bars(axes[0, 0], labels, _by_step(state.records, "error_ratio"), "failed requests, parts of all")
    _bars(axes[0, 1], labels, _p95(state.records), "p95, ms")
    _bars(axes[1, 0], *_shares(last, "scores"), f"scores at {last.percent} %, share of names")
    _bars(axes[1, 1], *_shares(last, "actions"), f"actions at {last.percent} %, share of names")
    axes[0, 0].legend()
    return figure


def _by_step(records: Sequence[StepRecord], field: str) -> dict[str, list[float]]:
    return {
        version: [float(getattr(getattr(record, version), field)) for record in records]
        for version in _COLOURS
    }


def _p95(records: Sequence[StepRecord]) -> dict[str, list[float]]:
    def p95(evidence: Evidence) -> float:
        return 1000 * (quantile(evidence.seconds, 0.95) or 0.0)

    return {version: [p95(getattr(record, version)) for record in records] for version in _COLOURS}


def _shares(record: StepRecord, field: str) -> tuple[list[str], dict[str, list[float]]]:
    counts: dict[str, Mapping[str, float]] = {v: getattr(getattr(record, v), field) for v in _COLOURS}
    kinds = sorted({kind for found in counts.values() for kind in found}, key=_order)
    totals = {version: sum(found.values()) or 1.0 for version, found in counts.items()}
    return kinds, {v: [found.get(kind, 0.0) / totals[v] for kind in kinds] for v, found in counts.items()}


def _order(kind: str) -> tuple[float, str]:
    try:
        return float(kind), ""
    except ValueError:
        return 0.0, kind


def _bars(axis: Any, labels: Sequence[str], values: Mapping[str, Sequence[float]], title: str) -> None:
    width = 0.4
    for offset, (version, heights) in zip((-width / 2, width / 2), values.items(), strict=True):
        places = [place + offset for place in range(len(labels))]
        axis.bar(places, heights, width, label=version, color=_COLOURS[version])
    axis.set_xticks(range(len(labels)), labels, rotation=90 if len(labels) > 8 else 0, fontsize=8)
    axis.set_title(title, fontsize=9)
