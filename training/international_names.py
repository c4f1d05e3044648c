"""Good names in the languages and scripts of the world, of words that CLDR has in each.

Public lists hold few of them. Without them a model takes every internationalised name for one that passes for
another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Final

import numpy as np
from babel import Locale

from training.draws import pick
from transformer.domain_name import NotADomainName, parse_domain

# Where names of each language are registered, the usual places more than once; xn--90a3ac is Serbian.
SUFFIXES: Final = {
    "ar": "com com net السعودية", "be": "by бел", "bg": "bg com", "bn": "com", "ca": "cat com",
    "cs": "cz com", "da": "dk dk dk dk com", "de": "de de de de de de com at ch net eu org",
    "el": "gr gr com", "es": "es com net cl com.ar", "et": "ee", "fa": "com ir", "fi": "fi com",
    "fr": "fr fr fr com ch be", "he": "co.il com", "hi": "com भारत", "hr": "hr", "hu": "hu com",
    "hy": "am", "is": "is", "it": "it com", "ja": "com com com com net jp biz", "ka": "ge com",
    "kk": "kz қаз", "km": "com", "ko": "com com com com kr 한국 net co.kr", "lt": "lt", "lv": "lv",
    "mk": "com", "mn": "mn мон", "my": "com", "nl": "nl", "no": "no no com", "pl": "pl com.pl com",
    "pt": "com.br pt com", "ro": "ro", "ru": "рф рф рф рф рф рф com ru net", "si": "lk", "sk": "sk",
    "sl": "si", "sr": "xn--90a3ac rs", "sv": "se se com nu", "ta": "com", "te": "com",
    "th": "com com com com net ไทย co.th", "tr": "com com com com.tr net", "uk": "укр com.ua com",
    "ur": "com", "vi": "com vn net", "zh": "com com com cn 中国 net com.cn",
    "zh_Hant": "com tw hk 香港 com.tw",
}  # fmt: skip
# Languages in which such names are common count that many times.
_COMMON: Final = {
    "ru": 6,
    **dict.fromkeys(("de", "ja", "ko", "th", "zh"), 4),
    **dict.fromkeys(("ar", "da", "fr", "sv", "tr"), 2),
}
_BELOW: Final = ("m", "shop", "mail", "forum", "blog")

Rng = np.random.Generator


class Vocabulary:
    """Words of one language of two letters or more, in lower case.

    Fields:
        words   all of them; of languages that are not written in Latin letters, those with others only
        beyond  those that ASCII cannot write
    """

    def __init__(self, language: str) -> None:
        words = sorted({word for term in _terms(Locale.parse(language)) for word in _words_in(term)})
        self.beyond = [word for word in words if not word.isascii()]
        latin = sum(map(str.isascii, "".join(words))) > len("".join(words)) / 2
        self.words = words if latin else self.beyond


# Made-up names are asked for once for all rows and once for those that are fitted.
@cache
def vocabulary_of(language: str) -> Vocabulary:
    """The words of a language, read once."""
    return Vocabulary(language)


def international_names(count: int, rng: Rng) -> list[str]:
    """Names of one to three words, one of them at least beyond ASCII, as punycode.

    Args:
        count: how many.
        rng: decides everything.

    >>> international_names(2, np.random.default_rng(0))
    ['xn--41-lqi9eya3lf.com', 'xn--mnaco-matemtica-xjb62a.pt']
    """
    languages = [language for language in SUFFIXES for _ in range(_COMMON.get(language, 1))]
    made: list[str] = []
    while len(made) < count:
        language = pick(languages, rng)
        label = _label(vocabulary_of(language), rng)
        below = f"{pick(_BELOW, rng)}." if rng.random() < 0.15 else ""
        try:
            name = parse_domain(f"{below}{label}.{pick(SUFFIXES[language].split(), rng)}").name
        except NotADomainName:
            # Too long.
            continue
        # Words that may not stand side by side have no punycode, and would be spelled in octets.
        if "\\" not in name:
            made.append(name)
    return made


def _label(vocabulary: Vocabulary, rng: Rng) -> str:
    words = [pick(vocabulary.words, rng) for _ in range(int(rng.choice([1, 2, 3], p=[0.35, 0.45, 0.2])))]
    words[int(rng.integers(len(words)))] = pick(vocabulary.beyond, rng)
    number = str(rng.integers(1, 1000)) if rng.random() < 0.1 else ""
    return ("-" if rng.random() < 0.3 else "").join(words) + number


def _terms(locale: Locale) -> Iterator[str]:
    """Names of countries, languages, scripts, currencies, months, days and cities."""
    named = (locale.territories, locale.languages, locale.scripts, locale.currencies)
    calendar = (locale.months["format"]["wide"], locale.days["format"]["wide"])
    yield from chain.from_iterable(names.values() for names in (*named, *calendar))
    yield from (zone["city"] for zone in locale.time_zones.values() if "city" in zone)


def _words_in(term: str) -> list[str]:
    # Vowel signs are marks, which regular expressions take for the end of a word.
    letters = (letter if unicodedata.category(letter)[0] in "LM" else " " for letter in term.lower())
    return [word for word in "".join(letters).split() if len(word) > 1]
