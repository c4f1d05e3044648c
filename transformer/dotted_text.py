"""Many short texts as one array of character codes, with the counts and runs that features need.

Every text is preceded by a dot and the last is followed by one, so that runs and n-grams never cross from one
text into the next, and text i owns the codes from its leading dot up to the next text's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int, Int32, Int64, UInt8

from contract.name_octets import octets_of
from transformer.alphabet import CODE_COUNT, CODE_OF_BYTE, SYMBOL_OF_CODE

# Fixed point, so that the sum is exact: a name scores the same alone and in any batch.
_FIXED_POINT: Final = 1 << 24
_LOG2: Final = np.log2(np.maximum(np.arange(256), 1))
_COUNT_TIMES_LOG2: Final = np.rint(np.arange(256) * _LOG2 * _FIXED_POINT).astype(np.int64)


@dataclass(frozen=True)
class DottedTexts:
    """Texts end to end.

    Shapes (T texts, C characters over all texts with their leading dots, one closing dot more):

    codes    uint8 (C+1,)  as in transformer.alphabet
    lengths  int64 (T,)    octets of each text, without its leading dot
    """

    codes: UInt8[np.ndarray, " codes"]
    lengths: Int64[np.ndarray, " texts"]

    @classmethod
    def of(cls, texts: Sequence[str]) -> DottedTexts:
        """Code at least one non-empty canonical text of a name, octet by octet."""
        joined = f".{'.'.join(texts)}."
        octets = octets_of(joined)
        # Escapes are rare: only then has a text another length than its octets.
        counted = texts if len(octets) == len(joined) else [octets_of(text) for text in texts]
        lengths = np.fromiter(map(len, counted), np.int64, len(counted))
        return cls(CODE_OF_BYTE[np.frombuffer(octets, np.uint8)], lengths)

    @cached_property
    def starts(self) -> Int64[np.ndarray, " texts"]:
        """Where each text's leading dot stands."""
        starts: Int64[np.ndarray, " texts"] = np.cumsum(self.lengths + 1)
        starts -= self.lengths + 1
        return starts

    @cached_property
    def owners(self) -> Int64[np.ndarray, " characters"]:
        """The text that owns each code; the closing dot has no owner."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths + 1)

    @cached_property
    def counts(self) -> Int64[np.ndarray, "texts codes"]:
        """How often each code occurs in each text, its leading dot included."""
        cells = self.owners * CODE_COUNT + self.codes[:-1]
        return np.bincount(cells, minlength=len(self.lengths) * CODE_COUNT).reshape(-1, CODE_COUNT)

    @cached_property
    def symbols(self) -> Int64[np.ndarray, " codes"]:
        symbols: Int64[np.ndarray, " codes"] = SYMBOL_OF_CODE[self.codes]
        return symbols

    def sums(self, values: Int[np.ndarray, "*kinds characters"]) -> Int64[np.ndarray, "*kinds texts"]:
        """Sum of one value per owned code, by text."""
        return np.add.reduceat(values, self.starts, axis=-1)

    def maxima(self, values: Int[np.ndarray, "*kinds characters"]) -> Int[np.ndarray, "*kinds texts"]:
        """Maximum of one value per owned code, by text."""
        return np.maximum.reduceat(values, self.starts, axis=-1)

    def longest_runs(self, members: Bool[np.ndarray, "kinds codes"]) -> Int32[np.ndarray, "kinds texts"]:
        """Longest stretch of member characters in each text; dots must not be members."""
        places = np.arange(members.shape[1], dtype=np.int32)
        last_outsider = np.maximum.accumulate(np.where(members, np.int32(0), places), axis=1)
        return self.maxima((places - last_outsider)[:, :-1])

    def longest_repeats(self) -> Int32[np.ndarray, " texts"]:
        """Longest stretch of one and the same character in each text; at least 1."""
        places = np.arange(len(self.codes), dtype=np.int32)
        changed = np.empty(len(self.codes), bool)
        changed[0] = True
        np.not_equal(self.codes[1:], self.codes[:-1], out=changed[1:])
        first_of_run = np.maximum.accumulate(np.where(changed, places, np.int32(0)))
        # `a..b` is no name, so two dots never meet and a run never crosses texts.
        return self.maxima((places - first_of_run)[:-1]) + np.int32(1)


def entropy_bits(counts: Int64[np.ndarray, "texts codes"]) -> Float32[np.ndarray, " texts"]:
    """Shannon entropy of the characters of each text, in bits; 0 for a text without characters."""
    totals = counts.sum(axis=1)
    weighted = _COUNT_TIMES_LOG2[counts].sum(axis=1)
    total_log2 = _LOG2[totals]
    bits: Float32[np.ndarray, " texts"] = (
        (total_log2 - weighted / (np.maximum(totals, 1) * _FIXED_POINT)).clip(0).astype(np.float32)
    )
    return bits
