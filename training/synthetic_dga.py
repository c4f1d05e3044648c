"""Names as published kinds of domain generation algorithm make them; no real family is copied.

Families in training cover few kinds, and new ones keep coming, so the model also sees the kinds themselves:
arithmetic (uniform letters, digits, pronounceable alternations), hash (hexadecimal), word lists and changed
names (Plohmann et al., "A Comprehensive Measurement Study of Domain Generating Malware", USENIX Security
2016), and edits of popular names that pass classifiers (Peck et al., "CharBot", IEEE Access 2019).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from training.draws import draw, pick

VOWELS: Final = "aeiou"
CONSONANTS: Final = "bcdfghjklmnpqrstvwxyz"
SUFFIXES: Final = (
    *("com",) * 4, *("net", "org", "info", "biz", "ru") * 2, "top", "xyz", "cc", "ws", "name", "in", "eu",
    "pw", "su", "club", "online", "site", "me", "co", "tv", "us", "cn", "de", "life", "ddns.net", "space",
    "click", "pro", "mobi", "ga", "tk", "cf", "ml", "gq", "ch", "fr", "it", "uk", "nl", "ca", "pl", "at",
    "be", "se", "dk", "no", "fi", "cz", "hu", "ro", "gr", "pt", "es", "br", "jp", "kr", "tw", "io", "ac",
    "sx", "to", "tj", "kz", "la", "ms", "sh",
)  # fmt: skip
# A word-list family draws from a small dictionary of its own, and registers under few suffixes.
FAMILY_NAMES: Final = 300
_ALPHANUMERIC: Final = string.ascii_lowercase + string.digits
_HEXADECIMAL: Final = "0123456789abcdef"

Rng = np.random.Generator


class Vocabulary:
    """What names are made from: words and labels of benign names.

    Args:
        benign: benign names; those of one label below a suffix lend their labels.
    """

    def __init__(self, benign: Sequence[str]) -> None:
        labels = [name.split(".")[-2] if "." in name else name for name in benign]
        counts = Counter(word for label in labels for word in re.findall("[a-z]+", label))
        self.words = sorted(word for word, count in counts.items() if 4 <= len(word) <= 10 and count >= 3)
        plain = (name.partition(".") for name in benign if name.count(".") == 1 and "xn--" not in name)
        self.labels = [label for label, _, _ in plain if len(label) >= 6]


def synthetic_names(count: int, benign: Sequence[str], rng: Rng) -> list[str]:
    """Generated names of every kind.

    Args:
        count: how many; of benign names without words or labels, fewer.
        benign: names whose words and labels are made use of.
        rng: decides everything.

    >>> names = synthetic_names(300, ["greenwood.org", "wood-green.net", "woodgreen.com"],
    ...                         np.random.default_rng(0))
    >>> all(name.count(".") in (1, 2) for name in names)
    True
    """
    vocabulary = Vocabulary(benign)
    made = [
        f"{label.strip('-')}.{pick(SUFFIXES, rng)}"
        for kind, share in LABEL_SHARES.items()
        for label in (kind(vocabulary, rng) for _ in range(int(count * share)))
        if label.strip("-")
    ]
    return made + _word_families(int(count * WORDS_SHARE), vocabulary, rng)


def _word_families(count: int, vocabulary: Vocabulary, rng: Rng) -> list[str]:
    if not vocabulary.words:
        return []
    made: list[str] = []
    while len(made) < count:
        dictionary = [pick(vocabulary.words, rng) for _ in range(int(rng.integers(60, 400)))]
        suffixes = [pick(SUFFIXES, rng) for _ in range(int(rng.integers(1, 4)))]
        size = min(FAMILY_NAMES, count - len(made))
        made += [f"{_of_words(dictionary, rng)}.{pick(suffixes, rng)}" for _ in range(size)]
    return made


def _of_words(dictionary: Sequence[str], rng: Rng) -> str:
    words = [pick(dictionary, rng) for _ in range(int(rng.integers(2, 5)))]
    if rng.random() < 0.3:
        # Some families cut their words out of running text.
        words = [word[: int(rng.integers(3, len(word) + 1))] for word in words]
    return "".join(words)[: int(rng.integers(12, 30))]


def _pronounceable(_vocabulary: Vocabulary, rng: Rng) -> str:
    length = int(rng.integers(5, 13))
    vowel = bool(rng.random() < 0.4)
    alternation = 0.8 + 0.2 * rng.random()
    letters = []
    for _ in range(length):
        letters.append(draw(VOWELS if vowel else CONSONANTS, 1, rng))
        vowel ^= bool(rng.random() < alternation)
    return "".join(letters)


def _strict_alternation(_vocabulary: Vocabulary, rng: Rng) -> str:
    """Consonant, vowel, consonant … from the few of each that one family uses."""
    consonants = draw(CONSONANTS, int(rng.integers(6, 13)), rng)
    vowels = draw("aeiouy", int(rng.integers(3, 6)), rng)
    first = int(rng.random() < 0.3)
    length = int(rng.integers(5, 13))
    return "".join(draw(vowels if (place + first) % 2 else consonants, 1, rng) for place in range(length))


def _short(_vocabulary: Vocabulary, rng: Rng) -> str:
    return draw(string.ascii_lowercase, int(rng.integers(5, 9)), rng)


def _letters(_vocabulary: Vocabulary, rng: Rng) -> str:
    return draw(string.ascii_lowercase, int(rng.integers(6, 21)), rng)


def _few_letters(_vocabulary: Vocabulary, rng: Rng) -> str:
    alphabet = draw(string.ascii_lowercase, int(rng.integers(8, 17)), rng)
    return draw(alphabet, int(rng.integers(6, 21)), rng)


def _letters_and_digits(_vocabulary: Vocabulary, rng: Rng) -> str:
    return draw(_ALPHANUMERIC, int(rng.integers(8, 33)), rng)


def _hash(_vocabulary: Vocabulary, rng: Rng) -> str:
    return draw(_HEXADECIMAL, int(rng.choice([6, 8, 10, 12, 16, 24, 32])), rng)


def _edited(vocabulary: Vocabulary, rng: Rng) -> str:
    """A popular label with two characters replaced."""
    if not vocabulary.labels:
        return ""
    letters = list(pick(vocabulary.labels, rng))
    for place in rng.choice(len(letters), 2, replace=False):
        letters[place] = draw(_ALPHANUMERIC, 1, rng)
    return "".join(letters)


def _changed_end(vocabulary: Vocabulary, rng: Rng) -> str:
    """Joined words whose beginning or end has become random letters."""
    if not vocabulary.words:
        return ""
    words = "".join(pick(vocabulary.words, rng) for _ in range(int(rng.integers(2, 4))))
    words = words[: int(rng.integers(10, 26))]
    letters = draw(string.ascii_lowercase, int(rng.integers(3, 6)), rng)
    return letters + words[len(letters) :] if rng.random() < 0.7 else words[: -len(letters)] + letters


# Chosen on validation families (docs/experiments.md).
LABEL_SHARES: Final = MappingProxyType(
    {
        _pronounceable: 0.05,
        _strict_alternation: 0.15,
        _short: 0.15,
        _letters: 0.03,
        _few_letters: 0.01,
        _letters_and_digits: 0.06,
        _hash: 0.05,
        _edited: 0.15,
        _changed_end: 0.1,
    }
)
WORDS_SHARE: Final = 0.25
