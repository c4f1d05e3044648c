"""The summary of an explanation: one or two plain sentences."""

from __future__ import annotations

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
    """A domain, its score and what is done about it."""

    domain: str
    score: float
    verdict: Verdict


def verdict_words(scored: Scored) -> str:
    """What the score means for the domain.

    >>> verdict_words(Scored("a.test", 0.12, Verdict("allow", 0.9)))
    'a.test scores 0.120 and is allowed (below 0.900).'
    """
    verdict = scored.verdict
    where = "below" if verdict.action == "allow" else "from"
    return (
        f"{scored.domain} scores {scored.score:.3f} and {_MEANING[verdict.action]} "
        f"({where} {verdict.threshold:.3f})."
    )


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


def anchor_summary(scored: Scored, conditions: Sequence[str], precision: float | None) -> str:
    """The verdict, then when it stays."""
    if precision is None:
        return f"{verdict_words(scored)} No rule was tried in time."
    kept = {"allow": "stays allowed", "monitor": "is at least monitored", "block": "stays blocked"}
    what = f"as long as this holds: {'; '.join(conditions)}" if conditions else "whatever else changes"
    stays = kept[scored.verdict.action]
    return f"{verdict_words(scored)} In {100 * precision:.3g}% of variations it {stays} {what}."
