"""Names that pass for others to the eye: letters of other scripts that look the same, letters with marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from types import MappingProxyType
from typing import Final
from unicodedata import normalize

import numpy as np

from contract.name_octets import text_of
from training.draws import pick
from transformer.domain_name import DomainName, NotADomainName, parse_domain

# Unicode TS 39, confusables.txt 16.0, single letters only.
HOMOGLYPHS: Final = {
    "a": "\u0430", "c": "\u0441", "d": "\u0501", "e": "\u0435", "h": "\u04bb", "i": "\u0456", "j": "\u0458",
    "o": "\u03bf", "p": "\u0440", "q": "\u051b", "s": "\u0455", "v": "\u03bd", "w": "\u051d", "x": "\u0445",
    "y": "\u0443",
}  # fmt: skip
_MOST_LETTERS: Final = 3
_MARKED_SHARE: Final = 0.4


def _marked_letters() -> dict[str, str]:
    """Small letters with marks of Latin-1 Supplement, Latin Extended-A and -B, by the letter without them."""
    marked: dict[str, str] = {}
    for letter in map(chr, range(0x00DF, 0x0250)):
        plain = normalize("NFD", letter)[0]
        if letter.islower() and plain != letter and plain in ascii_lowercase:
            marked[plain] = marked.get(plain, "") + letter
    return marked


MARKED: Final[Mapping[str, str]] = MappingProxyType(_marked_letters())


def look_alike_names(count: int, benign: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Good names in which up to three letters of the registrable label are replaced, as punycode.

    All of them by letters of another script, or all by letters with marks.

    Args:
        count: how many; fewer where names hold no such letter.
        benign: names to change.
        rng: decides everything.

    >>> look_alike_names(1, ["example.org"], np.random.default_rng(0))
    ['xn--exmple-4nf.org']
    """
    picked = (pick(benign, rng) for _ in range(count if benign else 0))
    made = (_changed(name, rng) for name in picked)
    return [name for name in made if name]


def _changed(name: str, rng: np.random.Generator) -> str | None:
    try:
        parsed = parse_domain(name)
    except NotADomainName:
        return None
    label = list(parsed.registrable_label)
    twins = MARKED if rng.random() < _MARKED_SHARE else HOMOGLYPHS
    places = [place for place, letter in enumerate(label) if letter in twins]
    if not places or parsed.registrable_label.startswith("xn--"):
        return None
    for place in rng.permutation(places)[: int(rng.integers(1, _MOST_LETTERS + 1))]:
        label[place] = pick(twins[label[place]], rng)
    return with_label(parsed, "".join(label))


def with_label(name: DomainName, label: str) -> str | None:
    """A name with another registrable label; None where that is no name that can be registered."""
    before, behind = (text_of(part) for part in _around_label_start(name))
    try:
        changed = parse_domain(before + label + behind.removeprefix(name.registrable_label)).name
    except NotADomainName:
        return None
    # A label without punycode is spelled in octets, which nobody sells.
    return None if "\\" in changed else changed


def _around_label_start(name: DomainName) -> tuple[bytes, bytes]:
    return name.octets[: name.label_start], name.octets[name.label_start :]
