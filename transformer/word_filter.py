"""Bloom filter of English words, looked up for a batch of keys at once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

from transformer.alphabet import hash_bits

MIN_WORD_LETTERS: Final = 4
FILTER_BITS: Final = 21
_SLOT_MASK: Final = np.uint64((1 << FILTER_BITS) - 1)


def slots_of(hashes: UInt64[np.ndarray, " keys"]) -> Iterator[Int64[np.ndarray, " keys"]]:
    """The three slots of each 63-bit hash, most significant bits first."""
    for shift in (42, 21, 0):
        yield (np.right_shift(hashes, np.uint64(shift)) & _SLOT_MASK).view(np.int64)


@cache
def _packed_words() -> UInt8[np.ndarray, " bytes"]:
    packed: UInt8[np.ndarray, " bytes"] = np.load(Path(__file__).parent / "data" / "words.npy")
    return packed


def places_of_words(keys: UInt64[np.ndarray, " keys"]) -> Int64[np.ndarray, " words"]:
    """Places of the keys that are (with 0.04 % false hits) words of the list."""
    packed = _packed_words()
    left = np.arange(len(keys))
    for slots in slots_of(hash_bits(keys, 63)):
        here = slots[left]
        left = left[np.right_shift(packed[here >> 3], (here & 7).astype(np.uint8)) & 1 != 0]
    return left
