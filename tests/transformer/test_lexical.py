import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.feature_scales import SCALES, in_units
from contract.feature_schema import LEXICAL_FEATURES
from contract.name_octets import octets_of
from transformer.data import build as tables
from transformer.domain_name import parse_domain
from transformer.lexical import lexical_features
from transformer.lure_words import BRANDS, LURES

labels = st.from_regex(r"[a-z0-9_-]{1,63}", fullmatch=True).filter(lambda label: label[:4] != "xn--")
names = st.one_of(
    st.lists(labels, min_size=1, max_size=3).map(".".join),
    st.builds("{}.{}".format, labels, st.sampled_from(["com", "co.uk", "github.io", "xn--p1ai", "gov.uk"])),
    st.sampled_from(
        [
            r"a\046b.com",
            r"\000\255.\200.example",
            r"\255" * 63 + ".de",
            r"a\046\000.ck",
            r"x.a\046\000.ck",
            r"\001." * 125 + "com",
            "xn--b.de",
            "a!b.example",
            "com",
            "co.uk",
            "xn--bcher-kva.de",
            "a." * 126 + "a",
        ]
    ),
).filter(lambda name: not name[-1].isdigit())


def features_of(name: str) -> dict[str, float]:
    """Features of one name by their own names, without their scale."""
    row = lexical_features([parse_domain(name)])[0]
    return {
        feature: in_units(feature, float(value)) for feature, value in zip(LEXICAL_FEATURES, row, strict=True)
    }


def as_counted(text: str) -> str:
    """Octets are counted, not characters of an escape; all beyond the alphabet are alike."""
    return re.sub(r"[^a-z0-9._\\-]", "?", octets_of(text).decode("latin-1"))


def longest(label: str, members: str) -> int:
    """The slow way to a longest run."""
    runs = "".join(character if character in members else " " for character in label).split()
    return max(map(len, runs), default=0)


@settings(deadline=None, max_examples=40)
@given(st.lists(names, min_size=1, max_size=12))
def test_a_name_has_the_same_features_alone_and_in_any_batch(batch: list[str]) -> None:
    """Rows do not depend on their neighbours, to the last bit, and are always finite."""
    domains = [parse_domain(name) for name in batch]
    together = lexical_features(domains)
    alone = np.concatenate([lexical_features([domain]) for domain in domains])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(lexical_features(domains[::-1]), together[::-1])
    assert np.isfinite(together).all()
    assert together.min() >= 0


@settings(deadline=None, max_examples=40)
@given(names)
def test_vectorised_features_are_what_plain_loops_find(name: str) -> None:
    """Counts, shares, runs and entropy equal those of a character-by-character computation."""
    domain = parse_domain(name)
    features = features_of(name)
    name, label = (as_counted(text) for text in (domain.name, domain.registrable_label))
    frequencies = [label.count(character) / len(label) for character in set(label)]
    slow = {
        "name_length": len(name),
        "label_length": len(label),
        "longest_label_length": max(map(len, name.split("."))),
        "label_count": name.count(".") + 1,
        "label_hyphens": label.count("-"),
        "name_underscores": name.count("_"),
        "label_digit_share": sum(map(str.isdigit, label)) / len(label),
        "name_digit_share": sum(map(str.isdigit, name)) / len(name.replace(".", "")),
        "label_starts_with_digit": float(label[0].isdigit()),
        "label_ends_with_digit": float(label[-1].isdigit()),
        "label_vowel_share": sum(character in "aeiou" for character in label) / len(label),
        "label_unique_share": len(frequencies) / len(label),
        "label_entropy_bits": -sum(share * math.log2(share) for share in frequencies),
        "longest_consonant_run": longest(label, "bcdfghjklmnpqrstvwxyz"),
        "longest_vowel_run": longest(label, "aeiou"),
        "longest_digit_run": longest(label, "0123456789"),
        "longest_repeat_run": max(longest(label, character) for character in label),
        "suffix_length": len(octets_of(domain.public_suffix)),
    }
    assert {feature: features[feature] for feature in slow} == pytest.approx(slow, abs=1e-5)


def test_every_feature_has_a_column_and_every_scale_a_feature() -> None:
    """The scales name listed features only; no names give no rows."""
    assert set(SCALES) <= set(LEXICAL_FEATURES)
    assert lexical_features([]).shape == (0, len(LEXICAL_FEATURES))
    assert len(set(LEXICAL_FEATURES)) == len(LEXICAL_FEATURES)


def test_ordinary_names_are_scaled_to_about_one() -> None:
    """Names of everyday shape stay within [0, 1.1] in every column."""
    everyday = [
        "www.example.com",
        "mail.google.co.uk",
        "alice.github.io",
        "secure-login-update.xyz",
        "x7q9.info",
    ]
    rows = lexical_features([parse_domain(name) for name in everyday])
    assert rows.min() >= 0
    assert rows.max() <= 1.1


def test_random_letters_surprise_more_than_words() -> None:
    """The letter models and the word list tell generated labels from written ones."""
    words, noise = features_of("weatherforecast.com"), features_of("xkqjzvwhpfgtbd.com")
    for feature in ("bigram_surprisal_mean", "trigram_surprisal_mean", "name_trigram_surprisal_mean"):
        assert noise[feature] > words[feature] + 1.0
    assert words["word_coverage"] == 1
    assert words["longest_word"] >= len("forecast")
    assert noise["word_coverage"] < 0.5


@pytest.mark.parametrize(
    ("name", "lures", "brands", "is_brand"),
    [
        ("paypal.com", 1, 1, 1),
        ("www.paypa1.com", 1, 1, 1),
        ("paypal-secure-login.xyz", 3, 1, 0),
        ("netflix.example.com", 0, 1, 0),
        ("l0gin.example.com", 1, 0, 0),
        ("example.com", 0, 0, 0),
    ],
)
def test_lures_and_brands_are_counted_anywhere(name: str, lures: int, brands: int, is_brand: int) -> None:
    """Keywords count in any label, also within a brand (pay in paypal), and with look-alike digits."""
    features = features_of(name)
    found = [round(features[feature]) for feature in ("lure_words", "brand_words", "brand_is_label")]
    assert found == [lures, brands, is_brand]


def test_every_keyword_is_found_by_itself() -> None:
    """Each lure and brand of the tables counts when it is the whole label."""
    column = LEXICAL_FEATURES.index("lure_words")
    lures = lexical_features([parse_domain(f"{word}.example") for word in LURES])
    assert (lures[:, column] > 0).all()
    column = LEXICAL_FEATURES.index("brand_is_label")
    brands = lexical_features([parse_domain(f"{word}.com") for word in BRANDS])
    assert (brands[:, column] == 1).all()


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("example.com", {"legacy"}),
        ("alice.github.io", {"private", "country"}),
        ("example.co.uk", {"country"}),
        ("example.gov.uk", {"country", "restricted"}),
        ("example.ac", {"country"}),
        ("example.edu", {"restricted"}),
        ("example.xn--p1ai", {"idn"}),
        ("printer.lan", {"unlisted"}),
        ("example.xyz", set()),
    ],
)
def test_suffix_classes(name: str, flags: set[str]) -> None:
    """A name's suffix is flagged by what kind of registry stands behind it."""
    kinds = {"private", "country", "idn", "legacy", "restricted", "unlisted"}
    features = features_of(name)
    assert {kind for kind in kinds if features[f"suffix_is_{kind}"]} == flags


def test_tables_are_built_from_a_word_list(tmp_path: Path) -> None:
    """The build writes three tables of fixed shape, the same bytes for the same words."""
    words = tmp_path / "words"
    words.write_text("alpha\nBeta\ngamma's\nde\n")
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        directory.mkdir()
        tables.build(words, directory)
    assert np.load(first / "trigram_surprisal.npy").shape == (32, 32, 32)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
    assert tables.read_words(words) == ["alpha", "beta", "de"]
