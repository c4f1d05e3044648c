from difflib import SequenceMatcher

import numpy as np
import pytest

from tests.training.evaluation.made_up import names
from training.evaluation.robustness import (
    EDITS,
    HOMOGLYPHS,
    POPULAR,
    changed_names,
    charbot,
    homoglyph,
    look_alike,
    random_subdomain,
)
from transformer.domain_name import parse_domain

RNG_SEEDS = range(40)
NAMES = names(
    [
        *((f"shop{place}.example.com", "benign", "benign", POPULAR, "", "strong") for place in range(10)),
        ("www.wikipedia.org", "benign", "benign", POPULAR, "", "strong"),
        ("university.edu", "benign", "benign", "university", "", "strong"),
        ("doubtful.com", "benign", "benign", POPULAR, "", "weak"),
        ("malicious.com", "malware", "emotet", POPULAR, "", "strong"),
    ]
)


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_charbot_replaces_two_characters_of_the_registrable_label(seed: int) -> None:
    """The rest of the name, and the length, stay."""
    edited = charbot(parse_domain("news.wikipedia.co.uk"), np.random.default_rng(seed))
    assert edited is not None
    head, label, *suffix = edited.split(".")
    assert (head, suffix) == ("news", ["co", "uk"])
    assert sum(new != old for new, old in zip(label, "wikipedia", strict=True)) == 2


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_a_homoglyph_is_one_letter_of_another_script(seed: int) -> None:
    """What comes is punycode of a label that differs in one letter, by a twin."""
    edited = homoglyph(parse_domain("www.wikipedia.org"), np.random.default_rng(seed))
    assert edited is not None
    head, label, suffix = edited.split(".")
    assert (head, suffix) == ("www", "org")
    shown = label.encode().decode("idna")
    ((new, old),) = [pair for pair in zip(shown, "wikipedia", strict=True) if pair[0] != pair[1]]
    assert HOMOGLYPHS[old] == new


@pytest.mark.parametrize("seed", RNG_SEEDS)
def test_a_look_alike_stays_ascii_and_near(seed: int) -> None:
    """One letter became one or two others that need no punycode."""
    edited = look_alike(parse_domain("www.wikimedia.org"), np.random.default_rng(seed))
    assert edited is not None
    assert edited.isascii()
    assert edited.startswith("www.")
    assert edited != "www.wikimedia.org"
    assert SequenceMatcher(None, edited, "www.wikimedia.org").ratio() > 0.9


@pytest.mark.parametrize("edit", [charbot, homoglyph, look_alike])
def test_labels_that_cannot_be_edited_are_refused(edit: object) -> None:
    """Internationalised labels, which are spelled otherwise than they look, are left alone."""
    assert callable(edit)
    assert edit(parse_domain("xn--bcher-kva.example"), np.random.default_rng(0)) is None


def test_short_labels_are_not_for_charbot() -> None:
    """Of four letters two replaced leave nothing of the original."""
    assert charbot(parse_domain("ebay.com"), np.random.default_rng(0)) is None


def test_a_subdomain_keeps_its_name_and_the_limit() -> None:
    """The name stands behind a label; one without room for it is refused."""
    edited = random_subdomain(parse_domain("www.wikipedia.org"), np.random.default_rng(0))
    assert edited is not None
    assert edited.endswith(".www.wikipedia.org")
    longest = ".".join(["a" * 62] * 4)
    assert random_subdomain(parse_domain(longest), np.random.default_rng(0)) is None


def test_good_names_are_changed_only() -> None:
    """Rows come from strong benign names, look-alikes from popular ones; every change is of its row."""
    changed = changed_names(NAMES, most=100)
    assert changed.keys() == EDITS.keys()
    assert set(changed["random-subdomains"].rows) == set(range(12))
    assert not changed["random-subdomains"].malicious
    assert set(changed["homoglyphs"].rows) == set(range(11))
    assert changed["homoglyphs"].malicious
    for kind in changed.values():
        assert not set(kind.domains) & set(NAMES.domains)
        assert len(kind.domains) == len(kind.rows)


def test_as_many_names_as_asked_and_always_the_same() -> None:
    """A number bounds each kind; two calls agree, another seed differs."""
    first, again, other = (changed_names(NAMES, most=4, seed=seed) for seed in (0, 0, 1))
    assert {len(kind.domains) for kind in first.values()} == {4}
    assert [kind.domains for kind in first.values()] == [kind.domains for kind in again.values()]
    assert [kind.domains for kind in first.values()] != [kind.domains for kind in other.values()]
