"""What kind of suffix a name stands under."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from contract.name_octets import octets_of

SUFFIX_FEATURES: Final = (
    "suffix_length",
    "suffix_label_count",
    "suffix_is_private",
    "suffix_is_country",
    "suffix_is_idn",
    "suffix_is_legacy",
    "suffix_is_restricted",
    "suffix_is_unlisted",
    "suffix_is_abused",
)

# The generic top-level domains of before 2001, open to all.
_LEGACY: Final = frozenset({"com", "net", "org", "info", "biz"})
# Sold to eligible bodies only, at the top or below a country code (gov.uk, edu.au, ac.jp).
_RESTRICTED: Final = frozenset(
    {"gov", "edu", "mil", "int", "ac", "gob", "gouv", "gub", "go", "museum", "aero", "coop"}
)
# Given away or sold below cost, and so over-represented in abuse reports of the last ten years (general
# knowledge, such as the yearly reports of Spamhaus and Interisle; not counted in our data).
_ABUSED: Final = frozenset({
    "bid", "buzz", "cc", "cf", "cfd", "click", "club", "cyou", "date", "download", "fun", "ga", "gdn",
    "gq", "icu", "info", "link", "live", "loan", "men", "ml", "monster", "online", "party", "pw",
    "quest", "racing", "rest", "review", "sbs", "science", "site", "space", "stream", "surf", "tk",
    "top", "trade", "vip", "website", "win", "work", "xyz",
})  # fmt: skip
_OPEN: Final = frozenset({"ac", "go"})
_COUNTRY_CODE_LENGTH: Final = 2


@lru_cache(maxsize=16_384)
def suffix_row(suffix: str, *, private: bool) -> bytes:
    """SUFFIX_FEATURES of one suffix as little-endian float32, unscaled.

    >>> np.frombuffer(suffix_row("co.uk", private=False), "<f4").tolist()
    [5.0, 2.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    labels = suffix.split(".") if suffix else []
    top = labels[-1] if labels else ""
    row = (
        # Below a wildcard rule, as *.ck, a suffix may hold any octets.
        len(octets_of(suffix)),
        len(labels),
        private,
        len(top) == _COUNTRY_CODE_LENGTH,
        any(label.startswith("xn--") for label in labels),
        top in _LEGACY and not private,
        # Top-level ac and the like are open country codes; below a country they are restricted.
        not private and suffix not in _OPEN and suffix.partition(".")[0] in _RESTRICTED,
        not suffix,
        top in _ABUSED and not private,
    )
    return np.array(row, "<f4").tobytes()
