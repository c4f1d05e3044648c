"""Tracked versions for people: the list, one with its lineage, two side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from training.registry.versions import Tracked

# Columns of the list, by the metric that they show.
_COLUMNS: Final = {
    "AUC": "names/strong/auc",
    "TPR @ 1 %": "names/strong/tpr_at_fpr_1pct",
    "TPR @ 0.1 %": "names/strong/tpr_at_fpr_01pct",
    "ECE": "names/strong/calibration_error",
    "graph AUC": "graph/with-evidence/auc",
}


def versions_table(versions: Sequence[Tracked]) -> str:
    """A Markdown table, a line a version; figures are of the strong rows, where it was evaluated."""
    heads = ["version", "model version", "weights", "aliases", "tracked", "parent", *_COLUMNS]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for version in versions:
        figures = [_figure(version.metrics.get(metric)) for metric in _COLUMNS.values()]
        known = [str(version.number), version.model_version, version.weights_sha256[:12]]
        known += [", ".join(version.aliases), version.created, version.tags.get("parent", "")]
        lines.append(_row([*known, *figures]))
    return "\n".join(lines)


def version_text(version: Tracked, files: Mapping[str, int]) -> str:
    """Everything that is known of one version."""
    head = {
        "version": str(version),
        "aliases": ", ".join(version.aliases) or "none",
        "tracked": version.created,
        "run": version.run_id,
        "source": version.source,
    }
    parts = {
        "lineage": version.tags,
        "parameters": version.parameters,
        "figures": {name: _figure(value) for name, value in version.metrics.items()},
        "files": {name: f"{size:,} bytes" for name, size in files.items()},
    }
    lines = [f"{name}: {value}" for name, value in head.items()]
    for title, entries in parts.items():
        lines += [f"{title}:", *(f"  {name}: {entries[name]}" for name in sorted(entries))]
    return "\n".join(lines)


def comparison_table(one: Tracked, other: Tracked) -> str:
    """Figures of two versions side by side; a figure of one alone has no difference."""
    heads = [
        "figure",
        *(f"{version.number} ({version.model_version})" for version in (one, other)),
        "difference",
    ]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for name in sorted(one.metrics.keys() | other.metrics.keys()):
        ours, theirs = one.metrics.get(name), other.metrics.get(name)
        gain = "" if ours is None or theirs is None else _figure(theirs - ours, "+")
        lines.append(_row([name, _figure(ours), _figure(theirs), gain]))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(value: float | None, sign: str = "") -> str:
    """A figure to four digits, a count without any.

    >>> _figure(0.97125), _figure(4336888.0), _figure(None), _figure(0.01, "+")
    ('0.9712', '4,336,888', '', '+0.0100')
    """
    if value is None:
        return ""
    return f"{value:{sign},.0f}" if abs(value) >= 1000 else f"{value:{sign}.4f}"
