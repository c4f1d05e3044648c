"""Names as published kinds of domain generation algorithm make them; no real family is copied.

Families in training cover few kinds, and new ones keep coming, so the model also sees the plain kinds:
letters or hexadecimal digits drawn uniformly, and pronounceable alternations of consonants and vowels
(Plohmann et al., "A Comprehensive Measurement Study of Domain Generating Malware", USENIX Security 2016).
"""

from __future__ import annotations

import string
from typing import Final

import numpy as np

VOWELS: Final = "aeiou"
CONSONANTS: Final = "bcdfghjklmnpqrstvwxyz"
SUFFIXES: Final = (
    "com", "net", "org", "info", "biz", "ru", "top", "xyz", "cc", "ws", "name", "in", "eu",
    "pw", "su", "club", "online", "site", "me", "co", "tv", "us", "cn", "de", "life",
)  # fmt: skip
# Of uniform names: plain letters, letters and digits, hexadecimal, a small alphabet of letters.
_UNIFORM_KINDS: Final = (0.4, 0.2, 0.2, 0.2)


def synthetic_names(count: int, pronounceable_share: float, rng: np.random.Generator) -> list[str]:
    """Generated names under common suffixes.

    >>> names = synthetic_names(3, 0.5, np.random.default_rng(0))
    >>> [name.count(".") for name in names]
    [1, 1, 1]
    """
    pronounceable = rng.random(count) < pronounceable_share
    labels = [_pronounceable(rng) if wanted else _uniform(rng) for wanted in pronounceable]
    return [f"{label}.{SUFFIXES[rng.integers(len(SUFFIXES))]}" for label in labels]


def _uniform(rng: np.random.Generator) -> str:
    length = int(rng.integers(6, 21))
    kind = rng.choice(len(_UNIFORM_KINDS), p=_UNIFORM_KINDS)
    if kind == 0:
        return _draw(string.ascii_lowercase, length, rng)
    if kind == 1:
        return _draw(string.ascii_lowercase + string.digits, length + 2, rng)
    if kind == 2:
        return _draw("0123456789abcdef", length + 4, rng)
    return _draw(_draw(string.ascii_lowercase, int(rng.integers(8, 17)), rng), length, rng)


def _pronounceable(rng: np.random.Generator) -> str:
    length = int(rng.integers(5, 13))
    vowel = bool(rng.random() < 0.4)
    alternation = 0.8 + 0.2 * rng.random()
    letters = []
    for _ in range(length):
        letters.append(_draw(VOWELS if vowel else CONSONANTS, 1, rng))
        vowel ^= bool(rng.random() < alternation)
    return "".join(letters)


def _draw(alphabet: str, length: int, rng: np.random.Generator) -> str:
    return "".join(alphabet[place] for place in rng.integers(len(alphabet), size=length))
