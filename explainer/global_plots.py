"""Pictures of global explanations, as SVG text: the same figures give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from explainer.global_effects import Effect, Importance

# Text stays text, ids do not change from run to run; grey reads on light and on dark pages.
_STYLE: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "dns-risk",
    "font.size": 9,
    "text.color": "#767676",
    "axes.labelcolor": "#767676",
    "axes.edgecolor": "#767676",
    "xtick.color": "#767676",
    "ytick.color": "#767676",
}
_BAR: Final = "#d9822b"
_LINE: Final = "#2b7bd9"
_COLUMNS: Final = 3


def plot_importances(important: Sequence[Importance]) -> str:
    """A bar for each trait, the most important one on top."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.5, 0.4 * len(important) + 0.8), layout="constrained")
        axes = figure.subplots()
        bars = list(reversed(important))
        axes.barh(
            [bar.trait for bar in bars],
            [bar.fall for bar in bars],
            xerr=[bar.deviation for bar in bars],
            color=_BAR,
            ecolor="#767676",
        )
        axes.set_xlabel("fall of the AUC when the trait is exchanged between names")
        _bare(axes)
        return _svg(figure)


def plot_effects(local: Sequence[Effect]) -> str:
    """A small curve for each feature, all on one scale of risk."""
    with mpl.rc_context(_STYLE):
        rows = -(-len(local) // _COLUMNS)
        figure = Figure(figsize=(8.5, 2.1 * rows), layout="constrained")
        grid = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False)
        for axes in grid.flat[len(local) :]:
            axes.set_axis_off()
        for axes, effect in zip(grid.flat, local, strict=False):
            axes.plot(effect.values, effect.effects, color=_LINE, marker=".", markersize=4)
            axes.axhline(0, color="#767676", linewidth=0.5)
            axes.set_title(effect.feature.replace("_", " "), fontsize=9)
            _bare(axes)
        figure.supylabel("change of the risk score", fontsize=9)
        return _svg(figure)


def _bare(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return buffer.getvalue()
