"""Which training rows validate: as the test does, by time, by family and by registered domain."""

from __future__ import annotations

from typing import Final

import numpy as np

from training.data import LabelledNames, stable_share
from transformer.domain_name import NotADomainName, parse_domain

# The last months of each dated source, and generators that no other training family resembles.
LATE: Final = {"maltrail": "2026-01", "tweetfeed": "2025-10", "polkadot-phishing": "2025-12"}
HELD_OUT_FAMILIES: Final = ("pushdo", "symmi", "murofet", "ramnit", "sharkbot", "suppobox", "verblecon")
BENIGN_SHARE: Final = 0.06


def validation_rows(names: LabelledNames) -> np.ndarray:
    """True for rows to choose by: never fitted before the choice is made."""
    late = np.zeros(len(names.domains), bool)
    for source, month in LATE.items():
        late |= names.malicious & (names.source == source) & (names.first_seen >= month)
    family = np.isin(names.family, HELD_OUT_FAMILIES)
    group = np.array([stable_share(registered_domain(name)) < BENIGN_SHARE for name in names.domains])
    return np.asarray(late | family | (~names.malicious & group))


def registered_domain(name: str) -> str:
    """The registered domain of a name, or the name itself where it has none."""
    try:
        return parse_domain(name).registered_domain or name
    except NotADomainName:
        return name
