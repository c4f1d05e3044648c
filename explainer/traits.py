"""The traits of a name: named groups of what the model reads of it, each taken away as a whole.

Three of them also hold a part of the name's text, since the model reads that as n-grams: the letters hold the
registrable label, `subdomain` what stands before it, `suffix` the public suffix. Of a name under no listed
suffix the letters hold the last two labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Int64

from contract.feature_schema import LEXICAL_FEATURES


@dataclass(frozen=True, slots=True)
class Trait:
    """One group of lexical features.

    text: the part of the name (see TEXTS) that belongs to the group, "" where none does.
    headline: the feature that stands for the group in a rule, "" where no number can.
    measure: what the headline measures, in a person's words.
    """

    name: str
    features: tuple[str, ...]
    text: str = ""
    headline: str = ""
    measure: str = ""


# Parts of a name in the order of writing.
TEXTS: Final = ("subdomain", "label", "suffix")

TRAITS: Final = (
    Trait(
        "letters",
        (
            "label_vowel_share",
            "label_consonant_share",
            "label_rare_letter_share",
            "label_unique_share",
            "label_repeated_share",
            "label_entropy_bits",
            "label_entropy_evenness",
            "name_entropy_bits",
            "longest_consonant_run",
            "longest_vowel_run",
            "longest_repeat_run",
            "bigram_surprisal_mean",
            "bigram_surprisal_max",
            "trigram_surprisal_mean",
            "trigram_surprisal_max",
            "name_trigram_surprisal_mean",
        ),
        text="label",
        headline="trigram_surprisal_mean",
        measure="bits of surprise a letter",
    ),
    Trait(
        "length",
        ("name_length", "label_length", "longest_label_length"),
        headline="label_length",
        measure="characters in the label",
    ),
    Trait(
        "digits",
        (
            "name_digit_share",
            "label_digit_share",
            "label_starts_with_digit",
            "label_ends_with_digit",
            "label_digit_letter_switches",
            "label_hex_share",
            "longest_digit_run",
        ),
        headline="label_digit_share",
        measure="digit ratio",
    ),
    Trait(
        "hyphens",
        ("name_hyphens", "label_hyphens", "name_underscores"),
        headline="name_hyphens",
        measure="hyphens",
    ),
    Trait(
        "words",
        ("word_coverage", "longest_word", "lure_words", "brand_words", "brand_is_label", "suffix_inside"),
        headline="word_coverage",
        measure="share of the label in dictionary words",
    ),
    Trait("idn", ("label_is_idn", "name_has_idn")),
    Trait(
        "subdomain",
        ("subdomain_length", "label_count", "subdomain_label_count", "is_registrable", "starts_with_www"),
        text="subdomain",
    ),
    Trait(
        "suffix",
        (
            "suffix_length",
            "suffix_label_count",
            "suffix_is_private",
            "suffix_is_country",
            "suffix_is_idn",
            "suffix_is_legacy",
            "suffix_is_restricted",
            "suffix_is_unlisted",
            "suffix_is_abused",
        ),
        text="suffix",
    ),
)


def _trait_of_feature() -> Int64[np.ndarray, " lexical"]:
    owner = {feature: place for place, trait in enumerate(TRAITS) for feature in trait.features}
    return np.array([owner[feature] for feature in LEXICAL_FEATURES])


# Of each lexical feature, the place of its trait in TRAITS.
TRAIT_OF_FEATURE: Final = _trait_of_feature()
# Of each text part, the same.
TRAIT_OF_TEXT: Final = tuple(
    next(place for place, trait in enumerate(TRAITS) if trait.text == text) for text in TEXTS
)
