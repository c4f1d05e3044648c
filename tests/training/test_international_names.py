import idna
import numpy as np
import pytest

from training.international_names import SUFFIXES, international_names, vocabulary_of
from transformer.domain_name import parse_domain


def test_every_name_is_internationalised_and_of_words() -> None:
    """All are names with a punycode label below the suffix, that reads as words of a language."""
    made = international_names(400, np.random.default_rng(1))
    assert len(made) == 400
    assert len(set(made)) > 390
    beyond = {word for language in SUFFIXES for word in vocabulary_of(language).beyond}
    # As names are folded.
    words = {idna.uts46_remap(word) for word in beyond}
    for name in made:
        label = parse_domain(name).registrable_label
        assert label.startswith("xn--")
        shown = idna.decode(label)
        assert any(word in shown for word in words), shown


@pytest.mark.parametrize("language", SUFFIXES)
def test_every_language_has_words_beyond_ascii(language: str) -> None:
    """Also those in Latin letters; of the others no word is plain."""
    vocabulary = vocabulary_of(language)
    assert len(vocabulary.beyond) >= 20
    assert all(len(word) > 1 for word in vocabulary.words)
    if language in {"ru", "th", "ja", "ar"}:
        assert vocabulary.words == vocabulary.beyond


def test_the_seed_decides() -> None:
    """The same seed makes the same names."""
    first, again = (international_names(50, np.random.default_rng(2)) for _ in range(2))
    assert first == again
