"""Names as an attacker would change them, and as their owners do, from benign rows of the test.

Edited names count as malicious and stand beside the unchanged benign rows; sub-domains of good names stay
benign and stand beside the unchanged malicious rows.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from contract.feature_schema import MAX_NAME_LENGTH
from training.data import LabelledNames
from training.look_alikes import HOMOGLYPHS, with_label
from transformer.domain_name import DomainName, NotADomainName, parse_domain

ALPHABET: Final = string.ascii_lowercase + string.digits
# Shorter labels would hold nothing of the original.
SHORTEST_EDITED: Final = 5
SUBDOMAIN_LENGTHS: Final = (8, 24)
# Sites that people know, and so take a look-alike for.
POPULAR: Final = "top-stable"

# Letters and digits that look like another letter.
LOOK_ALIKES: Final = {
    "a": "4", "b": "6", "d": "cl", "e": "3", "g": "q", "i": "1", "l": "1", "m": "rn", "o": "0", "q": "g",
    "s": "5", "u": "v", "w": "vv", "z": "2",
}  # fmt: skip

Edit = Callable[[DomainName, np.random.Generator], str | None]


@dataclass(frozen=True, slots=True)
class Changed:
    """Changed names of one kind.

    Fields:
        domains    the changed names
        rows       the test row that each was made of
        malicious  what they count as
    """

    domains: list[str]
    rows: np.ndarray
    malicious: bool


def charbot(name: DomainName, rng: np.random.Generator) -> str | None:
    """Two characters of the registrable label replaced at random (CharBot: Peck et al., arXiv 1905.01078).

    None where the label is too short or internationalised.
    """
    label = name.registrable_label
    if len(label) < SHORTEST_EDITED or label.startswith("xn--"):
        return None
    edited = list(label)
    for place in rng.choice(len(label), 2, replace=False):
        edited[place] = _another(edited[place], rng)
    return with_label(name, "".join(edited))


def _another(character: str, rng: np.random.Generator) -> str:
    others = ALPHABET.replace(character, "")
    return others[rng.integers(len(others))]


def homoglyph(name: DomainName, rng: np.random.Generator) -> str | None:
    """One letter replaced by its twin of another script, as punycode; None where no letter has one."""
    return _looking_alike(name, HOMOGLYPHS, rng)


def look_alike(name: DomainName, rng: np.random.Generator) -> str | None:
    """One letter replaced by letters or digits that look alike; None where there is none."""
    return _looking_alike(name, LOOK_ALIKES, rng)


def _looking_alike(name: DomainName, twins: dict[str, str], rng: np.random.Generator) -> str | None:
    label = name.registrable_label
    places = [place for place, letter in enumerate(label) if letter in twins]
    if not places or label.startswith("xn--"):
        return None
    place = places[rng.integers(len(places))]
    return with_label(name, label[:place] + twins[label[place]] + label[place + 1 :])


def random_subdomain(name: DomainName, rng: np.random.Generator) -> str | None:
    """A label of random letters and digits in front, as caches, mail and content networks make them."""
    length = int(rng.integers(*SUBDOMAIN_LENGTHS))
    label = "".join(ALPHABET[place] for place in rng.integers(len(ALPHABET), size=length))
    return f"{label}.{name.name}" if length + 1 + len(name.octets) <= MAX_NAME_LENGTH else None


# What each is called, whose names it changes ("" for every source), and whether the result is malice.
EDITS: Final[dict[str, tuple[Edit, str, bool]]] = {
    "charbot": (charbot, "", True),
    "homoglyphs": (homoglyph, POPULAR, True),
    "look-alikes": (look_alike, POPULAR, True),
    "random-subdomains": (random_subdomain, "", False),
}


def changed_names(names: LabelledNames, most: int, seed: int = 0) -> dict[str, Changed]:
    """Every kind of changed names, of at most so many benign rows with strong labels each."""
    return {
        what: _changed(names, edit, source, malicious, most, np.random.default_rng([seed, number]))
        for number, (what, (edit, source, malicious)) in enumerate(EDITS.items())
    }


def _changed(
    names: LabelledNames, edit: Edit, source: str, malicious: bool, most: int, rng: np.random.Generator
) -> Changed:
    good = names.strong & ~names.malicious & ((names.source == source) | (not source))
    known, domains, rows = set(names.domains), [], []
    for row in rng.permutation(np.flatnonzero(good)):
        edited = _edited(names.domains[row], edit, rng)
        # A name that the test holds already has a label of its own.
        if edited is not None and edited not in known:
            domains.append(edited)
            rows.append(int(row))
        if len(rows) == most:
            break
    return Changed(domains, np.array(rows, dtype=np.int64), malicious)


def _edited(domain: str, edit: Edit, rng: np.random.Generator) -> str | None:
    try:
        return edit(parse_domain(domain), rng)
    except NotADomainName:
        return None
