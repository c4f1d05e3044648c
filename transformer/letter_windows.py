"""All windows of consecutive letters of given lengths, as exact keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8, Int64, UInt8, UInt64

from transformer.alphabet import LETTER_BITS, MAX_WORD_LETTERS


@dataclass(frozen=True, slots=True)
class LetterWindows:
    """Stretches of letters of a text of `code_count` codes, the shortest of `shortest` letters.

    Shapes (W windows):
        keys   uint64 (W,)  as `transformer.alphabet.word_key`
        cells  int64  (W,)  (letters - shortest) * code_count + place; most windows are dropped by their
                            key alone, so place and length are worked out for the rest only
    """

    keys: UInt64[np.ndarray, " windows"]
    cells: Int64[np.ndarray, " windows"]
    code_count: int
    shortest: int

    @property
    def places(self) -> Int64[np.ndarray, " windows"]:
        """Where each window begins."""
        return self.cells % self.code_count

    @property
    def lengths(self) -> Int64[np.ndarray, " windows"]:
        """Letters in each window."""
        return self.cells // self.code_count + self.shortest

    def take(self, chosen: Int64[np.ndarray, " chosen"] | Bool[np.ndarray, " windows"]) -> LetterWindows:
        """The chosen windows, by place or by mask."""
        return LetterWindows(self.keys[chosen], self.cells[chosen], self.code_count, self.shortest)


def letter_windows(codes: UInt8[np.ndarray, " codes"], lengths: range) -> LetterWindows:
    """Every stretch of `lengths` letters, 12 at most; the codes must end with a dot."""
    wanted = np.arange(lengths.start, lengths.stop, dtype=np.int8)
    inside = np.flatnonzero(_letters_ahead(codes) >= wanted[:, None])
    return LetterWindows(_keys(codes, lengths).ravel()[inside], inside, len(codes), lengths.start)


def _letters_ahead(codes: UInt8[np.ndarray, " codes"]) -> Int8[np.ndarray, " codes"]:
    """How many letters follow without a break, counting the one at each place itself; 12 at most."""
    places = np.arange(len(codes))
    # Letters are codes 1 to 26; unsigned wrap-around sends code 0 above them.
    is_letter = (codes - np.uint8(1)) < np.uint8(26)
    next_stop = np.minimum.accumulate(np.where(is_letter, len(codes), places)[::-1])[::-1]
    ahead: Int8[np.ndarray, " codes"] = np.minimum(next_stop - places, MAX_WORD_LETTERS).astype(np.int8)
    return ahead


def _keys(codes: UInt8[np.ndarray, " codes"], lengths: range) -> UInt64[np.ndarray, "lengths codes"]:
    """The key of the window at each place; meaningless where the window would pass the end."""
    wide = codes.astype(np.uint64)
    keys = np.zeros((len(lengths), len(codes)), np.uint64)
    key = wide
    for length in range(1, min(lengths.stop, len(codes) + 1)):
        if length > 1:
            key = np.left_shift(key[:-1], np.uint64(LETTER_BITS))
            key |= wide[length - 1 :]
        if length in lengths:
            keys[length - lengths.start, : len(key)] = key
    return keys
