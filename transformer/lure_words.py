"""Words that lure and brands that are imitated, found anywhere in a name.

General knowledge of phishing reports, not taken from any labelled data set. Look-alike digits are folded
first, so that ``paypa1`` and ``l0gin`` are seen. A lure within a brand (``pay`` in ``paypal``) counts too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Int64, UInt8, UInt64

from transformer.alphabet import CODE_COUNT, codes_of, hash_bits, word_key
from transformer.dotted_text import DottedTexts
from transformer.letter_windows import LetterWindows

_LURE_TEXT: Final = """
    account auth alert airdrop bank billing bonus cancel claim confirm crypto customer delivery document
    download free gift help invoice limited live login mail mobile office online pay payment portal promo
    protect recover refund reset reward secure security service signin sso support token transfer unlock
    update validate verify wallet webmail win
"""
_BRAND_TEXT: Final = """
    adobe airbnb alibaba allegro amazon apple binance bitcoin blockchain booking chase citibank coinbase
    costco dhl dropbox ebay facebook fedex github gmail google hotmail hsbc icloud instagram ledger
    linkedin metamask microsoft netflix opensea orange outlook paypal pinterest roblox santander sharepoint
    shopify spotify steam telegram tiktok trezor twitter uniswap usps vodafone walmart wellsfargo whatsapp
    yahoo youtube
"""
LURES: Final = tuple(_LURE_TEXT.split())
BRANDS: Final = tuple(_BRAND_TEXT.split())

LURE_LENGTHS: Final = range(min(map(len, LURES + BRANDS)), max(map(len, LURES + BRANDS)) + 1)
_FOLDS: Final = {"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b"}
_FILTER_BITS: Final = 14


@dataclass(frozen=True, slots=True)
class WordHits:
    """How often lures and brands occur in each name, and whether a brand is the whole registrable label."""

    lures: Int64[np.ndarray, " names"]
    brands: Int64[np.ndarray, " names"]
    brand_is_label: Bool[np.ndarray, " names"]


def _fold_table() -> UInt8[np.ndarray, " codes"]:
    table = np.arange(CODE_COUNT, dtype=np.uint8)
    table[codes_of("".join(_FOLDS))] = codes_of("".join(_FOLDS.values()))
    return table


def _sorted_keys() -> tuple[UInt64[np.ndarray, " words"], Bool[np.ndarray, " words"]]:
    keys = np.array([word_key(word) for word in LURES + BRANDS], np.uint64)
    order = np.argsort(keys)
    return keys[order], (np.arange(len(keys)) >= len(LURES))[order]


FOLD: Final = _fold_table()
_KEYS, _IS_BRAND = _sorted_keys()


def _key_filter() -> Bool[np.ndarray, " slots"]:
    slots = np.zeros(1 << _FILTER_BITS, bool)
    slots[hash_bits(_KEYS, _FILTER_BITS)] = True
    return slots


_FILTER: Final = _key_filter()


def word_hits(
    names: DottedTexts,
    windows: LetterWindows,
    label_starts: Int64[np.ndarray, " names"],
    label_lengths: Int64[np.ndarray, " names"],
) -> WordHits:
    """Count lures and brands.

    Args:
        names: the names, unfolded.
        windows: letter windows of the names' codes after FOLD; those that begin beyond are left out.
        label_starts: where each registrable label begins in its name; -1 where there is none.
        label_lengths: its number of characters.
    """
    count = len(names.lengths)
    # The small filter spares most windows the binary search.
    likely = windows.take(np.flatnonzero(_FILTER[hash_bits(windows.keys, _FILTER_BITS)]))
    slots = np.searchsorted(_KEYS, likely.keys).clip(max=len(_KEYS) - 1)
    exact = np.flatnonzero((_KEYS[slots] == likely.keys) & (likely.places < len(names.codes)))
    hits, is_brand = likely.take(exact), _IS_BRAND[slots[exact]]
    owners = names.owners[hits.places]
    label_places = names.starts[owners] + 1 + label_starts[owners]
    is_label = (hits.places == label_places) & (hits.lengths == label_lengths[owners])
    return WordHits(
        lures=np.bincount(owners[~is_brand], minlength=count),
        brands=np.bincount(owners[is_brand], minlength=count),
        brand_is_label=np.bincount(owners[is_brand & is_label], minlength=count) > 0,
    )
