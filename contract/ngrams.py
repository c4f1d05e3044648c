"""How names become buckets of hashed n-grams: numbers that all readers of a table must agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Int64, UInt8

from contract.ragged import offsets_of

# Every product of two hashes stays below 2^62, so int64 never overflows and no backend can differ.
BITS: Final = (1 << 31) - 1
STEP: Final = 0x5BD1E995 & BITS
SPREAD: Final = 0x2C1B3C6D & BITS
EDGE: Final = ord(".")


@dataclass(frozen=True, slots=True)
class NgramLayout:
    """Which n-grams are counted, and into how many buckets."""

    sizes: tuple[int, ...]
    buckets: int


def hashed_ngrams(
    name_bytes: UInt8[np.ndarray, " bytes"],
    lengths: Int64[np.ndarray, " names"],
    name_parts: Int64[np.ndarray, "names 2"],
    layout: NgramLayout,
) -> tuple[Int64[np.ndarray, " ngrams"], Int64[np.ndarray, " names_and_one"]]:
    """Bucket of every n-gram of every name, framed by dots, salted by the part where it begins.

    Args:
        name_bytes: the names end to end.
        lengths: bytes of each.
        name_parts: where in it the registrable label and the public suffix begin.
        layout: which n-grams, and how many buckets.

    Returns:
        ids: buckets, name by name.
        offsets: where each name's buckets begin.
    """
    framed = np.where(lengths > 0, lengths + 2, 0)
    starts = offsets_of(framed)
    total = int(starts[-1])
    places = np.arange(total)
    # Each name moves right by its own dot and both dots of every name before it.
    text = np.full(total + max(layout.sizes), EDGE + 1, np.int64)
    text[total:] = 0
    moved = np.repeat(starts[:-1] + 1 - offsets_of(lengths)[:-1], lengths)
    moved += np.arange(len(name_bytes))
    text[moved] = name_bytes
    text[moved] += 1
    left = np.repeat(starts[1:], framed) - places
    part = (places >= np.repeat(starts[:-1] + name_parts[:, 0], framed)).astype(np.int64)
    part += places >= np.repeat(starts[:-1] + name_parts[:, 1], framed)
    table = _rolling(text, total, part, layout)
    present = left[:, None] >= np.array(layout.sizes)
    return table[present], offsets_of(present.sum(axis=1))[starts]


def _rolling(
    text: Int64[np.ndarray, " padded"], total: int, part: Int64[np.ndarray, " text"], layout: NgramLayout
) -> Int64[np.ndarray, "text sizes"]:
    table = np.empty((total, len(layout.sizes)), np.int64)
    rolling = np.zeros(total, np.int64)
    for size in range(1, max(layout.sizes) + 1):
        rolling *= STEP
        rolling += text[size - 1 : size - 1 + total]
        rolling &= BITS
        if size in layout.sizes:
            salts = (np.arange(3) * 8 + size) * SPREAD & BITS
            np.bitwise_xor(rolling, salts[part], out=table[:, layout.sizes.index(size)])
    return _mixed(table) % layout.buckets


def _mixed(hashed: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
    """Scatter neighbouring hashes; works in place on its argument."""
    hashed ^= hashed >> 15
    hashed *= SPREAD
    hashed &= BITS
    hashed ^= hashed >> 13
    hashed *= STEP
    hashed &= BITS
    hashed ^= hashed >> 16
    return hashed
