"""Names as likely as those of the training files, and yet none of them: what an explanation compares with.

Character chains (Markov, four letters of memory) are fitted to the parts of the training names and sampled.
So the background of explanations has realistic text and features without any row of the data in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate, islice
from typing import Final

import numpy as np

from contract.name_octets import text_of
from training.data import UnusableData
from transformer.domain_name import DomainName, NotADomainName, parse_domain

MEMORY: Final = 4
# Neither occurs in a name.
_BEGIN: Final = "^"
_END: Final = "$"
_LONGEST: Final = 60
# Of real names a third of the samples is new.
_MOST_TRIES: Final = 100


class CharacterChain:
    """A Markov chain over characters, fitted to texts.

    >>> CharacterChain(["banana"]).sample(np.random.default_rng(0)).startswith("ban")
    True
    """

    def __init__(self, texts: Iterable[str]) -> None:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for text in texts:
            framed = _BEGIN * MEMORY + text + _END
            for place in range(MEMORY, len(framed)):
                counts[framed[place - MEMORY : place]][framed[place]] += 1
        self._next = {
            context: ("".join(following), np.array(list(accumulate(following.values()))))
            for context, following in counts.items()
        }

    def sample(self, rng: np.random.Generator) -> str:
        """One text of at most 60 characters."""
        text = _BEGIN * MEMORY
        while len(text) < MEMORY + _LONGEST:
            symbols, cumulative = self._next[text[-MEMORY:]]
            symbol = symbols[int(np.searchsorted(cumulative, rng.random() * cumulative[-1], "right"))]
            if symbol == _END:
                break
            text += symbol
        return text[MEMORY:]


class LikelyNames:
    """Samples names like some given ones: label, suffix and sub-domain, each as often as there.

    Args:
        names: what the samples are like.
        forbidden: labels that no sample may have.
    """

    def __init__(self, names: Sequence[DomainName], forbidden: AbstractSet[str]) -> None:
        whole = [name for name in names if name.registered_domain]
        subdomains = [text_of(name.octets[: name.label_start - 1]) for name in whole if name.label_start]
        self._labels = CharacterChain(name.registrable_label for name in whole)
        self._subdomains = CharacterChain(subdomains) if subdomains else None
        self._subdomain_share = len(subdomains) / len(whole)
        self._suffixes = [name.public_suffix for name in whole]
        self._forbidden = forbidden

    def sample(self, count: int, rng: np.random.Generator) -> list[str]:
        """Names none of whose registrable labels is forbidden.

        Raises:
            UnusableData: the given names are so few or so alike that hardly any other is like them.
        """
        tries = (self._one(rng) for _ in range(_MOST_TRIES * count))
        made = list(islice((name for name in tries if name is not None), count))
        if len(made) < count:
            raise UnusableData(
                f"expected {count} names like {len(self._suffixes)} given ones, got {len(made)}"
            )
        return made

    def _one(self, rng: np.random.Generator) -> str | None:
        label = self._labels.sample(rng)
        suffix = self._suffixes[int(rng.integers(len(self._suffixes)))]
        below = self._subdomains is not None and rng.random() < self._subdomain_share
        subdomain = f"{self._subdomains.sample(rng)}." if below and self._subdomains else ""
        if label in self._forbidden:
            return None
        try:
            return parse_domain(f"{subdomain}{label}.{suffix}").name
        except NotADomainName:
            return None
