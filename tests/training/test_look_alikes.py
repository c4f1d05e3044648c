import idna
import numpy as np

from training.look_alikes import HOMOGLYPHS, MARKED, look_alike_names
from transformer.domain_name import parse_domain

BACK = {twin: letter for twins in (HOMOGLYPHS, MARKED) for letter, all_of in twins.items() for twin in all_of}


def test_changed_names_look_like_the_good_ones() -> None:
    """With the letters read as their twins, each name is the one that it was made of, and both kinds are there."""
    made = look_alike_names(100, ["www.example.co.uk"], np.random.default_rng(1))
    assert len(made) == 100
    kinds = set()
    for name in made:
        shown = idna.decode(parse_domain(name).registrable_label)
        assert shown != "example"
        assert "".join(BACK.get(letter, letter) for letter in shown) == "example"
        assert name.startswith("www.xn--")
        assert name.endswith(".co.uk")
        replaced = {letter for letter in shown if not letter.isascii()}
        kinds.add(replaced <= set(HOMOGLYPHS.values()))
        assert replaced <= set(HOMOGLYPHS.values()) or replaced <= set("".join(MARKED.values()))
    assert kinds == {True, False}


def test_names_without_such_letters_are_left_out() -> None:
    """Digits, names that are punycode already, and no names at all give nothing."""
    for benign in (["123.org"], ["xn--e1afmkfd.org"], []):
        assert look_alike_names(20, benign, np.random.default_rng(2)) == []
