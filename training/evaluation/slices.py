"""Which test rows each figure of names is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from jaxtyping import Bool

from contract.tensors import CATEGORIES
from training.data import DGA, LabelledNames

STRONG: Final = "names/strong"
ALL: Final = "names/all"
FAMILIES: Final = "family"

Rows = Bool[np.ndarray, " rows"]


def bases(names: LabelledNames) -> dict[str, Rows]:
    """The rows of the headline, and all."""
    return {STRONG: names.strong, ALL: np.ones(len(names.domains), bool)}


def slices(names: LabelledNames, base: Rows) -> dict[str, Rows]:
    """Parts of the base rows, by the end of their path.

    Malice of one kind, source, month or generator family stands against all benign rows, so that
    false-positive rates mean the same everywhere; benign rows of one source against all malice.
    """
    found: dict[str, Rows] = {}
    for path, part in _malicious_parts(names):
        found[path] = base & (~names.malicious | part)
    for source in np.unique(names.source[~names.malicious]):
        found[f"benign-source/{source}"] = base & (names.malicious | (names.source == source))
    return found


def _malicious_parts(names: LabelledNames) -> Iterator[tuple[str, Rows]]:
    generated = names.category == DGA
    for place, category in enumerate(CATEGORIES[1:], start=1):
        yield f"category/{category}", names.category == place
    for source in np.unique(names.source[names.malicious]):
        yield f"source/{source}", names.malicious & (names.source == source)
    # A generated name's date is the seed of its algorithm: nobody has seen it then.
    seen = names.malicious & ~generated & (names.first_seen != "")
    month = np.array([date[:7] for date in names.first_seen], dtype=str)
    for name in np.unique(month[seen]):
        yield f"month/{name}", seen & (month == name)
    for family in np.unique(names.family[generated]):
        yield f"{FAMILIES}/{family}", generated & (names.family == family)
