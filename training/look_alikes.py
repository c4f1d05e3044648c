"""Names that pass for others to the eye: letters of other scripts that look the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from training.draws import pick
from transformer.domain_name import DomainName, NotADomainName, parse_domain

# Unicode TS 39, confusables.txt 16.0, single letters only.
HOMOGLYPHS: Final = {
    "a": "\u0430", "c": "\u0441", "d": "\u0501", "e": "\u0435", "h": "\u04bb", "i": "\u0456", "j": "\u0458",
    "o": "\u03bf", "p": "\u0440", "q": "\u051b", "s": "\u0455", "v": "\u03bd", "w": "\u051d", "x": "\u0445",
    "y": "\u0443",
}  # fmt: skip
_MOST_LETTERS: Final = 3


def homoglyph_names(count: int, benign: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Good names in which up to three letters of the registrable label are of another script, as punycode.

    Args:
        count: how many; fewer where names hold no such letter.
        benign: names to change.
        rng: decides everything.

    >>> homoglyph_names(1, ["example.org"], np.random.default_rng(0))
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
    places = [place for place, letter in enumerate(label) if letter in HOMOGLYPHS]
    if not places or parsed.registrable_label.startswith("xn--"):
        return None
    for place in rng.permutation(places)[: int(rng.integers(1, _MOST_LETTERS + 1))]:
        label[place] = HOMOGLYPHS[label[place]]
    return with_label(parsed, "".join(label))


def with_label(name: DomainName, label: str) -> str | None:
    """A name with another registrable label; None where that is no name."""
    before, behind = name.name[: name.label_start], name.name[name.label_start :]
    try:
        return parse_domain(before + label + behind.removeprefix(name.registrable_label)).name
    except NotADomainName:
        return None
