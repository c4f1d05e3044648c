"""The pictures of a report, as SVG that stands in the page."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.figure import Figure as Picture

from training.evaluation.report import Curves, Figures

_COLOURS: Final = ("#4477aa", "#66ccee", "#228833", "#ee6677", "#aa3377")
_GREY: Final = "#bbbbbb"
_LOWEST_RATE: Final = 1e-4


def ranking_plot(curves: Mapping[str, Curves]) -> str:
    """ROC with a logarithmic axis, where detectors work, and precision over recall."""
    picture = Picture(figsize=(10, 4.2), layout="constrained")
    roc, precision = picture.subplots(1, 2)
    for colour, (name, drawn) in zip(_COLOURS, curves.items(), strict=False):
        roc.step(*_across(drawn.roc), where="post", color=colour, label=name, linewidth=1.3)
        precision.plot(*_across(drawn.precision_recall), color=colour, label=name, linewidth=1.3)
    roc.set_xscale("log")
    roc.set_xlim(_LOWEST_RATE, 1)
    for rate in (0.001, 0.01):
        roc.axvline(rate, color=_GREY, linewidth=0.8, linestyle="--")
    roc.set(xlabel="false-positive rate", ylabel="share of malice found", ylim=(0, 1))
    precision.set(xlabel="share of malice found", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    return _finished(picture, roc, precision)


def reliability_plot(curves: Mapping[str, Curves]) -> str:
    """Share of malice over the score, both classes weighted alike."""
    picture = Picture(figsize=(6, 4.2), layout="constrained")
    axis = picture.subplots()
    axis.plot((0, 1), (0, 1), color=_GREY, linewidth=0.8, linestyle="--")
    for colour, (name, drawn) in zip(_COLOURS, curves.items(), strict=False):
        said, true, _ = zip(*drawn.reliability, strict=True)
        axis.plot(said, true, "o-", color=colour, label=name, linewidth=1.1, markersize=3)
    axis.set(xlabel="score", ylabel="share of malice", xlim=(0, 1), ylim=(0, 1))
    return _finished(picture, axis)


def bars(figures: Mapping[str, Figures], name: str, label: str) -> str:
    """One figure of each group, with its interval."""
    picture = Picture(figsize=(10, 0.5 + 0.28 * len(figures)), layout="constrained")
    axis = picture.subplots()
    for place, found in enumerate(figures.values()):
        figure = getattr(found, name)
        axis.plot((figure.low, figure.high), (place, place), color=_COLOURS[0], linewidth=1.6)
        axis.plot(figure.value, place, "o", color=_COLOURS[0], markersize=4)
    axis.set_yticks(range(len(figures)), list(figures))
    axis.invert_yaxis()
    axis.set_xlabel(label)
    return _finished(picture, axis)


def _across(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    # A rate of zero has no place on a logarithmic axis, but what is found there does.
    return [max(x, _LOWEST_RATE) for x, _ in points], [y for _, y in points]


def _finished(picture: Picture, *axes: Any) -> str:
    for axis in axes:
        axis.grid(visible=True, linewidth=0.4, alpha=0.6)
        axis.tick_params(labelsize=8)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=8, loc="best")
    page = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "dns-risk"}):
        # Without its own description the picture is the same in every run.
        picture.savefig(page, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = page.getvalue()
    return text[text.index("<svg") :]
