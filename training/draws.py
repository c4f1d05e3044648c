"""Random choices that made-up names are put together by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Option = TypeVar("Option")


def pick(options: Sequence[Option], rng: np.random.Generator) -> Option:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def draw(alphabet: str, length: int, rng: np.random.Generator) -> str:
    """So many characters, each any of the alphabet.

    >>> draw("a", 3, np.random.default_rng(0))
    'aaa'
    """
    return "".join(alphabet[place] for place in rng.integers(len(alphabet), size=length))
