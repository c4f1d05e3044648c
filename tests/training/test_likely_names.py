"""Made-up names: like the given ones, none of them, always the same for one seed."""

from __future__ import annotations

import numpy as np
import pytest

from training.data import UnusableData
from training.likely_names import CharacterChain, LikelyNames
from transformer.domain_name import parse_domain

GIVEN = [
    f"{below}{label}.{suffix}"
    for label in ("weather", "feather", "leather", "together", "gathering", "whether", "heather")
    for below, suffix in (("", "com"), ("", "co.uk"), ("mail.", "com"), ("", "org"))
]


LABELS = {parse_domain(name).registrable_label for name in GIVEN}


def likely(*forbidden: str) -> LikelyNames:
    return LikelyNames([parse_domain(name) for name in GIVEN], LABELS | {*forbidden})


@pytest.fixture(scope="module")
def made() -> list[str]:
    return likely().sample(200, np.random.default_rng(0))


def test_they_are_names_under_the_given_suffixes(made: list[str]) -> None:
    """Each is a registrable name or below one, with a suffix that occurs, about as often as given."""
    parsed = [parse_domain(name) for name in made]
    assert [name.name for name in parsed] == made
    assert {name.public_suffix for name in parsed} == {"com", "co.uk", "org"}
    assert 0.15 < np.mean([name.label_start > 0 for name in parsed]) < 0.35


def test_none_has_a_given_label(made: list[str]) -> None:
    """Neither a given label nor any other that is forbidden."""
    labels = {parse_domain(name).registrable_label for name in made}
    assert labels
    assert labels.isdisjoint(LABELS)
    refused = min(labels)
    again = likely(refused).sample(200, np.random.default_rng(0))
    assert refused not in {parse_domain(name).registrable_label for name in again}


def test_names_that_leave_nothing_to_make_up_are_refused(made: list[str]) -> None:
    """Where every likely label is forbidden it says so and does not search for ever."""
    labels = {parse_domain(name).registrable_label for name in made}
    with pytest.raises(UnusableData, match="expected 2000 names like 28 given ones"):
        likely(*labels).sample(2000, np.random.default_rng(0))


def test_they_are_made_of_the_given_letters(made: list[str]) -> None:
    """Every five letters in a row of a label occur in a given one."""
    known = {
        label[place : place + 5]
        for label in {parse_domain(name).registrable_label for name in GIVEN}
        for place in range(len(label) - 4)
    }
    for label in (parse_domain(name).registrable_label for name in made):
        assert all(label[place : place + 5] in known for place in range(len(label) - 4))


def test_a_seed_gives_the_same_names(made: list[str]) -> None:
    """And another seed others."""
    assert likely().sample(200, np.random.default_rng(0)) == made
    assert likely().sample(200, np.random.default_rng(1)) != made


def test_a_chain_that_never_ends_is_cut() -> None:
    """A text that repeats for ever has at most sixty characters."""
    assert len(CharacterChain(["a" * 500]).sample(np.random.default_rng(0))) == 60
