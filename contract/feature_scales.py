"""The scale of each lexical feature: what turns a value on the wire back into characters, counts and bits."""

from __future__ import annotations

from typing import Final

# What each feature is divided by, so that most values fall in [0, 1]. A feature that is not listed is a
# share or a flag. Lengths and counts are divided by what few names exceed, bits by a high value.
SCALES: Final = {
    "name_length": 64.0,
    "label_length": 32.0,
    "subdomain_length": 64.0,
    "longest_label_length": 63.0,
    "label_count": 8.0,
    "subdomain_label_count": 6.0,
    "name_hyphens": 4.0,
    "label_hyphens": 3.0,
    "name_underscores": 2.0,
    "label_digit_letter_switches": 4.0,
    "label_entropy_bits": 5.0,
    "name_entropy_bits": 5.0,
    "longest_consonant_run": 8.0,
    "longest_vowel_run": 4.0,
    "longest_digit_run": 8.0,
    "longest_repeat_run": 4.0,
    "bigram_surprisal_mean": 8.0,
    "bigram_surprisal_max": 15.0,
    "trigram_surprisal_mean": 8.0,
    "trigram_surprisal_max": 15.0,
    "name_trigram_surprisal_mean": 8.0,
    "longest_word": 12.0,
    "lure_words": 3.0,
    "brand_words": 2.0,
    "suffix_length": 12.0,
    "suffix_label_count": 3.0,
}


def in_units(feature: str, value: float) -> float:
    """A feature's value in characters, words, bits or whatever it counts.

    >>> in_units("label_length", 0.25), in_units("label_digit_share", 0.5)
    (8.0, 0.5)
    """
    return value * SCALES.get(feature, 1.0)
