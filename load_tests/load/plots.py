"""The pictures of a report, as SVG that stands in the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from load_tests.load.knee import Found
from load_tests.load.outcomes import Outcomes
from load_tests.load.server_metrics import Series
from load_tests.load.summary import protocols

_LINES: Final = {"p50": "#4477aa", "p95": "#ccbb44", "p99": "#ee6677"}
_PROTOCOLS: Final = {"REST": "#4477aa", "gRPC": "#228833"}
_SERVICES: Final = ("#4477aa", "#ee6677", "#228833", "#aa3377")
_GREY: Final = "#bbbbbb"
_COLUMNS: Final = 3


def load_plot(windows: Sequence[Mapping[str, Any]]) -> str:
    """Requests a second above, latency below, over the same time."""
    figure = _figure(5.2)
    rates, latency = figure.subplots(2, 1, sharex=True)
    at = [window["s"] for window in windows]
    rates.fill_between(
        at, [w["offered"] for w in windows], step="post", color=_GREY, label="meant to be sent"
    )
    rates.step(at, [w["good"] for w in windows], where="post", color="#228833", label="answered well")
    rates.set_ylabel("requests/s")
    rates.set_ylim(bottom=0)
    for name, colour in _LINES.items():
        latency.plot(at, _gaps([w[name] for w in windows]), color=colour, label=name, linewidth=1.3)
    latency.set_yscale("log")
    latency.set_ylabel("latency, ms")
    latency.set_xlabel("s")
    for axis in (rates, latency):
        _tidy(axis)
    return svg(figure)


def histogram(outcomes: Outcomes) -> str:
    """How long requests took, by protocol, on a logarithmic scale."""
    figure = _figure(3.0)
    axis = figure.subplots()
    good = outcomes.where(outcomes.good)
    if len(good):
        latency = np.maximum(good.latency_ms, 0.01)
        bins = np.geomspace(latency.min() * 0.99, latency.max() * 1.01, 60)
        for name, part in protocols(good):
            axis.hist(
                part.latency_ms,
                bins.tolist(),
                histtype="step",
                color=_PROTOCOLS[name],
                label=name,
                linewidth=1.4,
            )
    axis.set_xscale("log")
    axis.set_xlabel("latency, ms")
    axis.set_ylabel("requests")
    _tidy(axis)
    return svg(figure)


def errors_plot(windows: Sequence[Mapping[str, Any]]) -> str:
    """Failures a second by code, stacked."""
    codes = sorted({code for window in windows for code in window["failed"]})
    figure = _figure(2.6)
    axis = figure.subplots()
    at = [window["s"] for window in windows]
    rates = [[window["failed"].get(code, 0.0) for window in windows] for code in codes]
    axis.stackplot(at, *rates, labels=codes, step="post")
    axis.set_xlabel("s")
    axis.set_ylabel("failed/s")
    _tidy(axis)
    return svg(figure)


def knee_plot(found: Found) -> str:
    """Goodput and p99 over the rate that was offered."""
    figure = _figure(4.8)
    goodput, p99 = figure.subplots(2, 1, sharex=True)
    steps = sorted((*found.steps, *(step for _, step in found.past)), key=lambda step: step.offered)
    offered = [step.offered for step in steps]
    goodput.plot(offered, offered, color=_GREY, label="all that was offered")
    goodput.plot(offered, [step.goodput for step in steps], "o-", color="#228833", label="answered well")
    goodput.set_ylabel("requests/s")
    goodput.set_ylim(0, 1.3 * max(step.goodput for step in steps) + 1)
    p99.plot(offered, _gaps([step.p99_ms for step in steps]), "o-", color=_LINES["p99"], label="p99 of these")
    p99.set_yscale("log")
    p99.set_ylabel("latency, ms")
    p99.set_xlabel("requests/s offered")
    for axis in (goodput, p99):
        if found.knee:
            axis.axvline(found.knee.offered, color="black", linewidth=0.8, linestyle=":", label="knee")
        _tidy(axis)
    return svg(figure)


def servers_plot(series: Mapping[str, Mapping[str, Series]]) -> str:
    """A small picture for each measure, a line for each service."""
    rows = -(-len(series) // _COLUMNS)
    figure = _figure(2.0 * rows)
    axes = figure.subplots(rows, _COLUMNS, squeeze=False)
    services = sorted({service for lines in series.values() for service in lines})
    colours = dict(zip(services, _SERVICES * len(services), strict=False))
    for axis, (title, lines) in zip(axes.flat, series.items(), strict=False):
        for service, points in lines.items():
            axis.plot(*zip(*points, strict=True), color=colours[service], label=service, linewidth=1.1)
        axis.set_title(title, fontsize=9)
        axis.set_ylim(bottom=0)
        _tidy(axis)
    for axis in list(axes.flat)[len(series) :]:
        axis.remove()
    return svg(figure)


def svg(figure: Figure) -> str:
    """The figure as an `<svg>` element whose text is text."""
    page = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "dns-risk"}):
        # Without its own description the picture is the same in every run.
        figure.savefig(page, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = page.getvalue()
    return text[text.index("<svg") :]


def _figure(height: float) -> Figure:
    return Figure(figsize=(10, height), layout="constrained")


def _tidy(axis: Any) -> None:
    axis.grid(visible=True, linewidth=0.4, alpha=0.6)
    axis.tick_params(labelsize=8)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=8, loc="best")


def _gaps(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]
