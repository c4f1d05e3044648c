"""Lists of unequal length kept flat: the index arithmetic that replaces loops over them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, UInt8


def offsets_of(counts: Int64[np.ndarray, " lists"]) -> Int64[np.ndarray, " lists_and_one"]:
    """Where each list begins once all are laid end to end, and the total at the end.

    >>> offsets_of(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def ragged_ranges(
    starts: Int64[np.ndarray, " lists"], counts: Int64[np.ndarray, " lists"]
) -> Int64[np.ndarray, " total"]:
    """The ranges start, start + 1, … of the given lengths, one after another.

    >>> ragged_ranges(np.array([10, 50]), np.array([3, 2])).tolist()
    [10, 11, 12, 50, 51]
    """
    offsets = offsets_of(counts)
    ranges: Int64[np.ndarray, " total"] = np.repeat(starts - offsets[:-1], counts)
    ranges += np.arange(offsets[-1])
    return ranges


def take_ragged(
    blob: UInt8[np.ndarray, " _"], starts: Int64[np.ndarray, " lists"], counts: Int64[np.ndarray, " lists"]
) -> UInt8[np.ndarray, " total"]:
    """The byte strings at the given places of a blob, end to end."""
    taken: UInt8[np.ndarray, " total"] = blob.take(ragged_ranges(starts, counts))
    return taken
