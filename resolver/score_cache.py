"""Scores of names for a while: bounded, and small enough for a million of them."""

from __future__ import annotations

from typing import NamedTuple

import contract.tensors

# A value is one integer, which a dictionary holds in a third of the space of a tuple:
# expiry in seconds of a monotonic clock | name score, score in thousandths, 10 bits each | category, 3 bits |
# action, 3 bits.
_CATEGORY_BITS = _ACTION_BITS = 3
_SCORE_BITS = 10
UNSCORED = "unscored"
ACTIONS = (*contract.tensors.ACTIONS, UNSCORED)
CATEGORIES = ("", *contract.tensors.CATEGORIES)


class Scored(NamedTuple):
    """What the transformer said of a name."""

    score: float
    """in [0, 1], to a thousandth; 0 where it could not be scored"""
    action: str
    category: str
    name_score: float = 0.0
    """the same by the name alone, without evidence; nothing is blocked by evidence"""


class ScoreCache:
    """Names and their scores; every entry lives equally long, so the oldest expires first."""

    def __init__(self, max_names: int, ttl_s: float) -> None:
        self._max_names = max_names
        self._ttl_s = ttl_s
        self._entries: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, name: bytes, now_s: float) -> tuple[Scored, int] | None:
        """A score that is still good, and for how many seconds; None where there is none."""
        packed = self._entries.get(name)
        if packed is None:
            return None
        scored, expires_s = _unpacked(packed)
        left_s = expires_s - int(now_s)
        return (scored, left_s) if left_s > 0 else None

    def put(self, name: bytes, scored: Scored, now_s: float) -> None:
        """Remember a score; the oldest makes room."""
        entries = self._entries
        # Taken out first, so that order of insertion is order of expiry.
        entries.pop(name, None)
        while len(entries) >= self._max_names:
            del entries[next(iter(entries))]
        entries[name] = _packed(scored, int(now_s) + int(self._ttl_s))

    def drop_expired(self, now_s: float, most: int = 1000) -> int:
        """Forget entries from the oldest on, a few at a time; how many were forgotten."""
        dropped = 0
        while self._entries and dropped < most:
            name = next(iter(self._entries))
            if _unpacked(self._entries[name])[1] > now_s:
                break
            del self._entries[name]
            dropped += 1
        return dropped


def _packed(scored: Scored, expires_s: int) -> int:
    value = expires_s << _SCORE_BITS | _thousandths(scored.name_score)
    value = value << _SCORE_BITS | _thousandths(scored.score)
    value = value << _CATEGORY_BITS | CATEGORIES.index(scored.category)
    return value << _ACTION_BITS | ACTIONS.index(scored.action)


def _thousandths(score: float) -> int:
    return min(1000, max(0, round(score * 1000)))


def _unpacked(value: int) -> tuple[Scored, int]:
    action = ACTIONS[value & (1 << _ACTION_BITS) - 1]
    value >>= _ACTION_BITS
    category = CATEGORIES[value & (1 << _CATEGORY_BITS) - 1]
    value >>= _CATEGORY_BITS
    score = (value & (1 << _SCORE_BITS) - 1) / 1000
    value >>= _SCORE_BITS
    name_score = (value & (1 << _SCORE_BITS) - 1) / 1000
    return Scored(score, action, category, name_score), value >> _SCORE_BITS
