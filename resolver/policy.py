"""What follows from a score: pure, from the operator's mode, thresholds and allowlist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from contract.tensors import ACTIONS
from resolver.allowlist import Allowlist
from resolver.public_names import why_never_blocked
from resolver.score_cache import UNSCORED, Scored

ALLOW, MONITOR, BLOCK = ACTIONS
LISTED = "listed"


class Verdict(NamedTuple):
    """What is done about a name, and why."""

    action: str
    """`allow`, `monitor` or `block`: what the score and the lists say, whatever the mode"""
    reason: str
    """a category, `listed`, or `unscored`"""
    spared: str = ""
    """why a name is not blocked that its score would have blocked: by the law of names"""


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's choices."""

    mode: str
    """`monitor`: nothing is published; `log`: resolvers let names pass and log them; `block`: they do not"""
    allowlist: Allowlist
    block_threshold: float | None = None
    """score from which a name is bad; None: as the transformer says"""
    monitor_threshold: float | None = None

    def verdict(self, name: bytes, scored: Scored, *, sheltered: bool = False) -> Verdict:
        """What the lists and the score say of a name; the allowlist always wins.

        Args:
            name: a wire name.
            scored: what the transformer said of it.
            sheltered: whether a listed name is an alias of this one.
        """
        if sheltered or self.allowlist.covers(name):
            return Verdict(ALLOW, LISTED)
        if scored.action == UNSCORED:
            return Verdict(ALLOW, UNSCORED)
        action = self._action(scored)
        if action == BLOCK and (why := why_never_blocked(name)):
            return Verdict(MONITOR, scored.category, why)
        return Verdict(action, scored.category)

    def _action(self, scored: Scored) -> str:
        action = scored.action
        if self.block_threshold is not None:
            # Evidence alone blocks nobody: others may have a hand in it.
            if min(scored.score, scored.name_score) >= self.block_threshold:
                action = BLOCK
            elif scored.score >= self.block_threshold or action == BLOCK:
                action = MONITOR
        if self.monitor_threshold is not None and action != BLOCK:
            action = MONITOR if scored.score >= self.monitor_threshold else ALLOW
        return action

    def told(self, verdict: Verdict) -> str:
        """The action that others may act on: nothing is blocked unless the mode is `block`."""
        return MONITOR if verdict.action == BLOCK and self.mode != BLOCK else verdict.action

    @property
    def published(self) -> bool:
        """Whether names at or above the block threshold go into the zone."""
        return self.mode != MONITOR
