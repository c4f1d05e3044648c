"""The summary of an explanation: one or two plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from explainer.players import Player
from explainer.verdict import Verdict

_MEANING: Final = {"allow": "is allowed", "monitor": "is to be monitored", "block": "is to be blocked"}
# A reason is worth a word when it moved the score this much, and only so many are.
_WORTH_SAYING: Final = 0.01
_MOST_REASONS: Final = 2


@dataclass(frozen=True, slots=True)
class Scored:
    """A domain, its score, that of its name alone, and what is done about it."""

    domain: str
    score: float
    name_score: float
    verdict: Verdict


def verdict_words(scored: Scored) -> str:
    """What the score means for the domain.

    >>> verdict_words(Scored("a.test", 0.12, 0.12, Verdict("allow", 0.9)))
    'a.test scores 0.120 and is allowed (below 0.900).'
    """
    verdict = scored.verdict
    where = "below" if verdict.action == "allow" else "from"
    compared = scored.name_score if verdict.by_name else scored.score
    # A score that is hardly beside its threshold must not read as the same.
    digits = 3 if f"{compared:.3f}" != f"{verdict.threshold:.3f}" else 4
    why = f"{where} {verdict.threshold:.{digits}f}"
    if verdict.by_name:
        why = f"its name alone scores {scored.name_score:.{digits}f}, blocked {why}"
    elif verdict.spared:
        why += f", {verdict.spared}"
    return f"{scored.domain} scores {scored.score:.{digits}f} and {_MEANING[verdict.action]} ({why})."


def shap_summary(scored: Scored, base: float, reasons: Sequence[tuple[Player, float]]) -> str:
    """The verdict, then the strongest reasons for and against.

    Args:
        scored: what is explained.
        base: the score of the name that it is compared with.
        reasons: players with their contributions, the largest first.
    """
    up = [(player, gain) for player, gain in reasons if gain >= _WORTH_SAYING][:_MOST_REASONS]
    down = [(player, gain) for player, gain in reasons if gain <= -_WORTH_SAYING][:_MOST_REASONS]
    said = [f"raised by {_listed(up)}" if up else "", f"lowered by {_listed(down)}" if down else ""]
    because = " and ".join(filter(None, said)) or "hardly moved by anything"
    return f"{verdict_words(scored)} From {base:.3f} for an ordinary name it is {because}."


def _listed(reasons: Sequence[tuple[Player, float]]) -> str:
    return " and ".join(f"{player.text} ({gain:+.3f})" for player, gain in reasons)


def anchor_summary(
    scored: Scored, conditions: Sequence[str], precision: float | None, wanted: float, *, met: bool
) -> str:
    """The verdict, then when it stays, or that no rule of the wanted precision was found."""
    if precision is None:
        return f"{verdict_words(scored)} No rule was tried in time."
    kept = {"allow": "stays allowed", "monitor": "is at least monitored", "block": "stays blocked"}
    what = f"as long as this holds: {'; '.join(conditions)}" if conditions else "whatever else changes"
    stays = kept[scored.verdict.action]
    if not met:
        found = f"No rule of {_percent(wanted)} precision was found; by the best so far it {stays}"
        return f"{verdict_words(scored)} {found} in {_percent(precision)} of variations, {what}."
    return f"{verdict_words(scored)} In {_percent(precision)} of variations it {stays} {what}."


def _percent(share: float) -> str:
    # Rounded down: 99.96% are not 100%.
    return f"{math.floor(1000 * share + 1e-9) / 10:g}%"
