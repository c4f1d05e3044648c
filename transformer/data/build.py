"""Derive the letter models and the word filter from a word list; see README.md beside this file."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64, UInt8, UInt64

from transformer.alphabet import (
    DIGIT_SYMBOL,
    DOT_CODE,
    HYPHEN_SYMBOL,
    MAX_WORD_LETTERS,
    OTHER_SYMBOL,
    SURPRISAL_UNITS_PER_BIT,
    SYMBOL_COUNT,
    SYMBOL_OF_CODE,
    codes_of,
    hash_bits,
    word_key,
)
from transformer.word_filter import FILTER_BITS, MIN_WORD_LETTERS, slots_of

DATA: Final = Path(__file__).parent

# Words hold no digits or hyphens, names do: their share of the prior, set by hand.
_PRIOR_SHARES: Final = {DIGIT_SYMBOL: 0.08, HYPHEN_SYMBOL: 0.04, OTHER_SYMBOL: 0.005}
# Strength of the prior in observations: how many sightings of a context outweigh it.
_BIGRAM_PRIOR: Final = 40.0
_TRIGRAM_PRIOR: Final = 20.0


def build(word_list: Path, directory: Path = DATA) -> None:
    """Write the three tables for a word list, one word a line."""
    words = read_words(word_list)
    symbols = SYMBOL_OF_CODE[codes_of(f".{'.'.join(words)}.")]
    bigrams = bigram_model(symbols)
    np.save(directory / "bigram_surprisal.npy", _surprisal(bigrams))
    trigrams = _surprisal(trigram_model(symbols, bigrams))
    # A trigram around a dot would reach from one label into the next: it says nothing.
    trigrams[:, DOT_CODE] = 0
    np.save(directory / "trigram_surprisal.npy", trigrams)
    np.save(directory / "words.npy", word_filter(words))


def read_words(word_list: Path) -> list[str]:
    """The distinct lower-cased words of letters a-z only, two letters or more, sorted."""
    lines = word_list.read_text(encoding="utf-8").lower().split()
    return sorted({line for line in lines if re.fullmatch("[a-z]{2,}", line)})


def bigram_model(symbols: Int64[np.ndarray, " text"]) -> Float64[np.ndarray, "first second"]:
    """P(second symbol | first), smoothed towards the share of each symbol."""
    counts = np.zeros((SYMBOL_COUNT, SYMBOL_COUNT))
    np.add.at(counts, (symbols[:-1], symbols[1:]), 1)
    prior = _BIGRAM_PRIOR * _symbol_shares(counts.sum(axis=0))
    return _normalised(counts + prior)


def _symbol_shares(counts: Float64[np.ndarray, " symbols"]) -> Float64[np.ndarray, " symbols"]:
    shares: Float64[np.ndarray, " symbols"] = counts / counts.sum() * (1 - sum(_PRIOR_SHARES.values()))
    for symbol, share in _PRIOR_SHARES.items():
        shares[symbol] = share
    return shares


def trigram_model(
    symbols: Int64[np.ndarray, " text"], bigrams: Float64[np.ndarray, "second third"]
) -> Float64[np.ndarray, "first second third"]:
    """P(third symbol | first two), smoothed towards the bigram model."""
    counts = np.zeros((SYMBOL_COUNT, SYMBOL_COUNT, SYMBOL_COUNT))
    np.add.at(counts, (symbols[:-2], symbols[1:-1], symbols[2:]), 1)
    return _normalised(counts + _TRIGRAM_PRIOR * bigrams[None])


def _normalised(weights: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    probabilities: Float64[np.ndarray, "..."] = weights / weights.sum(axis=-1, keepdims=True)
    return probabilities


def _surprisal(probabilities: Float64[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    # Integers, so that sums over a name are exact whatever the order of addition.
    bits = -np.log2(np.maximum(probabilities, 2.0**-15))
    surprisal: UInt8[np.ndarray, "..."] = np.rint(bits * SURPRISAL_UNITS_PER_BIT).astype(np.uint8)
    return surprisal


def word_filter(words: list[str]) -> UInt8[np.ndarray, " bytes"]:
    """Bloom filter of the words of 4 to 12 letters, packed eight slots a byte."""
    kept = [word for word in words if MIN_WORD_LETTERS <= len(word) <= MAX_WORD_LETTERS]
    keys: UInt64[np.ndarray, " words"] = np.array([word_key(word) for word in kept], np.uint64)
    present = np.zeros(1 << FILTER_BITS, bool)
    for slots in slots_of(hash_bits(keys, 63)):
        present[slots] = True
    return np.packbits(present, bitorder="little")


if __name__ == "__main__":
    build(Path(sys.argv[1]))
