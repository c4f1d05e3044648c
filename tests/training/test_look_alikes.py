import idna
import numpy as np

from training.look_alikes import HOMOGLYPHS, homoglyph_names
from transformer.domain_name import parse_domain


def test_changed_names_look_like_the_good_ones() -> None:
    """With letters of the other script read as their twins, each name is the one that it was made of."""
    back = {twin: letter for letter, twin in HOMOGLYPHS.items()}
    made = homoglyph_names(100, ["www.example.co.uk"], np.random.default_rng(1))
    assert len(made) == 100
    for name in made:
        shown = idna.decode(parse_domain(name).registrable_label)
        assert shown != "example"
        assert "".join(back.get(letter, letter) for letter in shown) == "example"
        assert name.startswith("www.xn--")
        assert name.endswith(".co.uk")


def test_names_without_such_letters_are_left_out() -> None:
    """Digits, names that are punycode already, and no names at all give nothing."""
    for benign in (["123.org"], ["xn--e1afmkfd.org"], []):
        assert homoglyph_names(20, benign, np.random.default_rng(2)) == []
