"""Which training rows validate: as the test does, by time, by family and by registered domain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from training.data import LabelledNames, stable_share
from transformer.domain_name import NotADomainName, parse_domain

# The last months of each dated source, and generators that no other training family resembles.
LATE: Final = {"maltrail": "2026-01", "tweetfeed": "2025-10", "polkadot-phishing": "2025-12"}
HELD_OUT_FAMILIES: Final = ("pushdo", "symmi", "murofet", "ramnit", "sharkbot", "suppobox", "verblecon")
BENIGN_SHARE: Final = 0.06


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows of the training names validate, and which are fitted while choosing; some are neither.

    Fields:
        validation  rows to choose by: fitted only once the choice is made
        fitted      rows that share no registered domain with them
    """

    validation: np.ndarray
    fitted: np.ndarray


def split_names(names: LabelledNames) -> Split:
    """Set validation rows aside as the test sets its own: by time, by family, by registered domain.

    As there, a registered domain belongs to the side of its earliest name; later names of it are left out.
    """
    late = np.zeros(len(names.domains), bool)
    for source, month in LATE.items():
        late |= names.malicious & (names.source == source) & (names.first_seen >= month)
    family = np.isin(names.family, HELD_OUT_FAMILIES)
    registered = [registered_domain(name) for name in names.domains]
    group = np.array([stable_share(name) < BENIGN_SHARE for name in registered], bool)
    wanted = late | family | (~names.malicious & group)
    earlier = {name for name, later in zip(registered, wanted, strict=True) if not later}
    apart = np.array([name not in earlier for name in registered], bool)
    return Split(wanted & apart, ~wanted)


# Checks and split ask for the same names again and again; parsing them is most of their time.
@lru_cache(maxsize=1 << 20)
def registered_domain(name: str) -> str:
    """The registered domain of a name, or the name itself where it has none."""
    try:
        return parse_domain(name).registered_domain or name
    except NotADomainName:
        return name
