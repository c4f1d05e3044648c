"""Lexical features of a batch of names: what the spelling alone tells.

Everything runs on the concatenated characters of the batch; sums are taken in integers, so that a name
has the same features alone and in any batch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from contract.feature_scales import SCALES
from contract.feature_schema import LEXICAL_FEATURES
from transformer.alphabet import (
    CODE_COUNT,
    DOT_CODE,
    HYPHEN_CODE,
    MAX_WORD_LETTERS,
    SURPRISAL_UNITS_PER_BIT,
    SYMBOL_COUNT,
    UNDERSCORE_CODE,
    codes_of,
)
from transformer.domain_name import DomainName
from transformer.dotted_text import DottedTexts, entropy_bits
from transformer.letter_windows import letter_windows
from transformer.lure_words import FOLD, LURE_LENGTHS, word_hits
from transformer.suffix_class import SUFFIX_FEATURES, suffix_row
from transformer.word_filter import MIN_WORD_LETTERS, places_of_words

_CLASSES: Final = {
    "digit": "0123456789",
    "vowel": "aeiou",
    "consonant": "bcdfghjklmnpqrstvwxyz",
    "hex": "0123456789abcdef",
    "rare": "jqxz",
}
_DIGIT, _VOWEL, _CONSONANT, _HEX, _RARE = range(len(_CLASSES))

_WINDOW_LENGTHS: Final = range(min(LURE_LENGTHS.start, MIN_WORD_LETTERS), MAX_WORD_LETTERS + 1)

_SUFFIX_INSIDE: Final = re.compile(r"(?:^|[.-])(?:com|net|org|edu|gov)[.-]")

Columns = dict[str, np.ndarray]


def _class_members() -> UInt8[np.ndarray, "classes codes"]:
    members = np.zeros((len(_CLASSES), CODE_COUNT), np.uint8)
    for row, characters in enumerate(_CLASSES.values()):
        members[row, codes_of(characters)] = 1
    return members


_MEMBERS: Final = _class_members()
_MEMBERS_BY_CODE: Final = _MEMBERS.T.astype(np.int64)
_RUN_MEMBERS: Final = _MEMBERS[[_CONSONANT, _VOWEL, _DIGIT]].astype(bool)
# The surprisal tables count in fractions of a bit.
_SCALE_ROW: Final = np.array(
    [
        SCALES.get(feature, 1.0) * (SURPRISAL_UNITS_PER_BIT if "surprisal" in feature else 1)
        for feature in LEXICAL_FEATURES
    ],
    np.float32,
)


def lexical_features(names: Sequence[DomainName]) -> Float32[np.ndarray, "names lexical"]:
    """Features of each name, columns as in contract.feature_schema.LEXICAL_FEATURES; always finite."""
    if not names:
        return np.zeros((0, len(LEXICAL_FEATURES)), np.float32)
    whole = DottedTexts.of([name.name for name in names])
    labels = DottedTexts.of([name.registrable_label for name in names])
    label_starts = _label_starts(names)
    columns = {
        **_structure(names, whole, labels, label_starts),
        **_characters(whole, labels),
        **_runs(whole, labels),
        **_letter_models(whole, labels),
        **_words(whole, labels, label_starts),
        **_suffixes(names),
    }
    rows = np.empty((len(names), len(LEXICAL_FEATURES)), np.float32)
    for place, feature in enumerate(LEXICAL_FEATURES):
        rows[:, place] = columns[feature]
    rows /= _SCALE_ROW
    return rows


def _structure(
    names: Sequence[DomainName],
    whole: DottedTexts,
    labels: DottedTexts,
    label_starts: Int64[np.ndarray, " names"],
) -> Columns:
    label_count = whole.counts[:, DOT_CODE]
    suffix_labels = np.array([name.public_suffix.count(".") for name in names]) + 1
    registered = label_starts >= 0
    return {
        "name_length": whole.lengths,
        "label_length": labels.lengths,
        "subdomain_length": (label_starts - 1).clip(0),
        "label_count": label_count,
        "subdomain_label_count": np.where(registered, label_count - suffix_labels - 1, 0),
        "is_registrable": registered,
        "starts_with_www": np.array([name.name[:4] == "www." for name in names]),
        "label_is_idn": np.array([name.registrable_label[:4] == "xn--" for name in names]),
        "suffix_inside": np.array([_holds_suffix(name) for name in names]),
        "name_has_idn": np.array(["xn--" in name.name for name in names]),
    }


def _holds_suffix(name: DomainName) -> bool:
    """Whether another top-level domain stands before the suffix, as in paypal.com.example.ml."""
    return _SUFFIX_INSIDE.search(name.name, 0, len(name.name) - len(name.public_suffix)) is not None


def _label_starts(names: Sequence[DomainName]) -> Int64[np.ndarray, " names"]:
    """Where the registered domain begins in each name's octets; -1 where there is none."""
    return np.array([name.label_start if name.registered_domain else -1 for name in names])


def _characters(whole: DottedTexts, labels: DottedTexts) -> Columns:
    name_counts, label_counts = whole.counts.copy(), labels.counts.copy()
    name_counts[:, DOT_CODE] = label_counts[:, DOT_CODE] = 0
    name_characters, length = name_counts.sum(axis=1), labels.lengths
    shares = (label_counts @ _MEMBERS_BY_CODE) / length[:, None]
    unique = (label_counts > 0).sum(axis=1)
    entropy = entropy_bits(label_counts)
    return {
        "name_hyphens": name_counts[:, HYPHEN_CODE],
        "label_hyphens": label_counts[:, HYPHEN_CODE],
        "name_underscores": name_counts[:, UNDERSCORE_CODE],
        "name_digit_share": (name_counts @ _MEMBERS_BY_CODE[:, _DIGIT]) / name_characters,
        "label_digit_share": shares[:, _DIGIT],
        "label_vowel_share": shares[:, _VOWEL],
        "label_consonant_share": shares[:, _CONSONANT],
        "label_hex_share": shares[:, _HEX],
        "label_rare_letter_share": shares[:, _RARE],
        "label_unique_share": unique / length,
        "label_repeated_share": 1 - (label_counts == 1).sum(axis=1) / length,
        "label_entropy_bits": entropy,
        "label_entropy_evenness": entropy / np.log2(np.maximum(unique, 2)),
        "name_entropy_bits": entropy_bits(name_counts),
    }


def _runs(whole: DottedTexts, labels: DottedTexts) -> Columns:
    consonants, vowels, digits = labels.longest_runs(_RUN_MEMBERS[:, labels.codes])
    is_digit = _MEMBERS[_DIGIT][labels.codes]
    is_letter = _MEMBERS[_VOWEL][labels.codes] | _MEMBERS[_CONSONANT][labels.codes]
    switches = (is_digit[:-1] & is_letter[1:]) | (is_letter[:-1] & is_digit[1:])
    return {
        "longest_consonant_run": consonants,
        "longest_vowel_run": vowels,
        "longest_digit_run": digits,
        "longest_repeat_run": labels.longest_repeats(),
        "longest_label_length": whole.longest_runs((whole.codes != DOT_CODE)[None])[0],
        "label_digit_letter_switches": labels.sums(switches.astype(np.int64)),
        "label_starts_with_digit": is_digit[labels.starts + 1],
        "label_ends_with_digit": is_digit[labels.starts + labels.lengths],
    }


@cache
def _surprisal_table(file_name: str) -> Int32[np.ndarray, " ngrams"]:
    stored: UInt8[np.ndarray, "..."] = np.load(Path(__file__).parent / "data" / file_name)
    return stored.ravel().astype(np.int32)


def _letter_models(whole: DottedTexts, labels: DottedTexts) -> Columns:
    bigrams = _surprisal_table("bigram_surprisal.npy")[_ngrams(labels.symbols, 2)]
    trigrams = _surprisal_table("trigram_surprisal.npy")[_ngrams(labels.symbols, 3)]
    name_trigrams = _surprisal_table("trigram_surprisal.npy")[_ngrams(whole.symbols, 3)]
    label_count = whole.counts[:, DOT_CODE]
    return {
        "bigram_surprisal_mean": labels.sums(bigrams) / (labels.lengths + 1),
        "bigram_surprisal_max": labels.maxima(bigrams),
        "trigram_surprisal_mean": labels.sums(trigrams) / labels.lengths,
        "trigram_surprisal_max": labels.maxima(trigrams),
        "name_trigram_surprisal_mean": whole.sums(name_trigrams) / (whole.lengths + 1 - label_count),
    }


def _ngrams(symbols: Int64[np.ndarray, " codes"], size: int) -> Int64[np.ndarray, " characters"]:
    """One n-gram per owned code, the n-gram that begins there.

    A trigram around a dot has no surprisal in its table; the last one would end beyond the array: n-gram 0.
    """
    index = np.zeros(len(symbols) - 1, np.int64)
    grams = symbols[: len(symbols) - size + 1]
    for offset in range(1, size):
        grams = grams * SYMBOL_COUNT + symbols[offset : len(symbols) - size + 1 + offset]
    index[: len(grams)] = grams
    return index


def _words(whole: DottedTexts, labels: DottedTexts, label_starts: Int64[np.ndarray, " names"]) -> Columns:
    # One pass over folded names and plain labels: at these sizes numpy's cost is per call.
    codes = np.concatenate([FOLD[whole.codes], labels.codes])
    windows = letter_windows(codes, _WINDOW_LENGTHS)
    lures = word_hits(whole, windows, label_starts, labels.lengths)
    words = windows.take(places_of_words(windows.keys))
    words = words.take((words.places >= len(whole.codes)) & (words.lengths >= MIN_WORD_LETTERS))
    return {
        "lure_words": lures.lures,
        "brand_words": lures.brands,
        "brand_is_label": lures.brand_is_label,
        **_coverage(labels, words.places - len(whole.codes), words.lengths),
    }


def _coverage(
    labels: DottedTexts, places: Int64[np.ndarray, " words"], lengths: Int64[np.ndarray, " words"]
) -> Columns:
    size = len(labels.codes)
    opened = np.bincount(places, minlength=size) - np.bincount(places + lengths, minlength=size)
    covered = (np.cumsum(opened)[:-1] > 0).astype(np.int64)
    longest = np.zeros(len(labels.lengths), np.int64)
    np.maximum.at(longest, labels.owners[places], lengths)
    return {"word_coverage": labels.sums(covered) / labels.lengths, "longest_word": longest}


def _suffixes(names: Sequence[DomainName]) -> Columns:
    rows = b"".join([suffix_row(name.public_suffix, private=name.suffix_is_private) for name in names])
    table = np.frombuffer(rows, "<f4").reshape(-1, len(SUFFIX_FEATURES))
    return dict(zip(SUFFIX_FEATURES, table.T, strict=True))
