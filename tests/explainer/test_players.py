from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.players import Player, neighbours_of, players_of, traits_of
from explainer.traits import TRAITS
from tests.explainer.ego_graphs import APEX, MANY, SUBDOMAIN, crowded, linked, name_set
from tests.transformer.passive_dns import name_at

TRAIT_NAMES = [trait.name for trait in TRAITS]


def trait_of(name: str, trait: str) -> Player:
    own = name_set(name)
    return traits_of(own, [TRAIT_NAMES.index(trait)])[0]


def trait_keys(name: str, reference: str) -> list[str]:
    """The traits that are players of a name without neighbours."""
    cut = linked(name)
    return [player.key for player in players_of(cut.ego, cut.labels, name_set(reference))]


def test_every_link_is_a_player_in_words() -> None:
    """Address, name server, alias, sub-domain and look-alike are called by name, with how many share them."""
    cut = linked(APEX)
    texts = {player.key: player.text for player in neighbours_of(cut.ego, cut.labels)}
    assert texts == {
        "resolves 11.0.2.1": "address 11.0.2.1, which 4 names resolve to",
        "resolves 11.0.2.3": "address 11.0.2.3",
        "nameserver ns1.dns.test": "name server ns1.dns.test, which serves 2 names",
        "nameserver ns2.dns.test": "name server ns2.dns.test",
        "alias edge.cdn.test": "canonical name edge.cdn.test, which it is an alias of",
        "alias_rev go.test": "go.test, an alias of it",
        "apex_rev mail.example.com": "sub-domain mail.example.com",
        "apex_rev shop.example.com": "sub-domain shop.example.com",
        "similar examp1e.net": "look-alike examp1e.net",
        "similar example.org": "look-alike example.org",
    }


def test_the_registered_domain_is_a_player_with_its_other_names() -> None:
    """A sub-domain's own registered domain is a neighbour, and says how many sub-domains are known."""
    cut = linked(SUBDOMAIN)
    texts = [player.text for player in neighbours_of(cut.ego, cut.labels)]
    assert "registered domain example.com, which has 2 known sub-domains" in texts


def test_a_neighbour_that_nobody_shares_is_said_without_a_count() -> None:
    """An address that only this name resolves to has no others to count."""
    cut = linked("examp1e.net")
    (player,) = [player for player in neighbours_of(cut.ego, cut.labels) if player.relation == "resolves"]
    assert (player.kind, player.value) == ("neighbour", "11.0.2.9")
    assert player.text == "address 11.0.2.9"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 119))
def test_each_player_has_a_key_and_a_place_of_its_own(number: int) -> None:
    """No two players of an explanation are mixed up, and neighbours stand at the links they are."""
    cut = linked(name_at(number), snapshot=crowded())
    players = players_of(cut.ego, cut.labels, name_set("sun.test"))
    assert len({player.key for player in players}) == len(players)
    neighbours = [player for player in players if player.kind == "neighbour"]
    assert [player.place for player in neighbours] == list(range(cut.ego.link_count))
    assert [player.value for player in neighbours] == [cut.labels[node] for node in cut.ego.link_nodes]
    traits = [player.place for player in players if player.kind == "name"]
    assert all(before < after for before, after in pairwise(traits))
    assert [player.key for player in players[len(neighbours) :]] == [TRAIT_NAMES[place] for place in traits]


def test_a_trait_like_the_reference_is_no_player() -> None:
    """What would be replaced by the same has nothing to add: only the suffix tells these two apart."""
    assert trait_keys("kitchen.dev", "kitchen.app") == ["suffix"]


def test_same_figures_with_other_letters_are_another_trait() -> None:
    """The model reads the text as well, so a part with other letters is a player though its figures agree."""
    assert "subdomain" in trait_keys("abc.kitchen.app", "abd.kitchen.app")


def test_the_reference_itself_still_has_a_player() -> None:
    """A name without neighbours that is the reference has one player, so that there is a game."""
    assert trait_keys("kitchen.app", "kitchen.app") == ["letters"]


def test_neighbours_are_players_of_the_reference_too() -> None:
    """Before any trait come all neighbours."""
    cut = linked(MANY)
    players = players_of(cut.ego, cut.labels, name_set(MANY))
    assert [player.relation for player in players] == ["resolves"] * 8 + [None]


@pytest.mark.parametrize(
    ("name", "trait", "value", "text"),
    [
        ("www.shop.example.com", "subdomain", "www.shop", 'sub-domain "www.shop"'),
        ("example.com", "subdomain", "", "no sub-domain"),
        ("example.co.uk", "suffix", "co.uk", 'public suffix ".co.uk"'),
        ("example.xyz", "suffix", "xyz", 'public suffix ".xyz", often abused'),
        ("printer.lan", "suffix", "", "no listed public suffix"),
        ("example.co.uk", "length", "13", "length of 13 characters, 7 in the label"),
        ("ab12.com", "digits", "0.50", "digit ratio 0.50"),
        ("example.com", "digits", "0.00", "no digits in the label"),
        ("a-b-c.com", "hyphens", "2", "2 hyphens"),
        ("_dmarc.a-b.com", "hyphens", "2", "1 hyphen and 1 underscore"),
        ("example.com", "hyphens", "0", "no hyphens"),
        ("b\u00fccher.example", "idn", "yes", "internationalised name"),
        ("example.com", "idn", "no", "not internationalised"),
        (r"a\046b\255.example.com", "subdomain", r"a\046b\255", r'sub-domain "a\046b\255"'),
    ],
)
def test_a_trait_is_said_as_people_would(name: str, trait: str, value: str, text: str) -> None:
    """Value and words of a trait are about the name itself, in characters and counts."""
    player = trait_of(name, trait)
    assert (player.value, player.text) == (value, text)
    assert (player.key, player.kind, player.relation) == (trait, "name", None)


def test_words_are_counted() -> None:
    """Lure words and brand names are said beside the share of words, where there are any."""
    assert trait_of("netflix-login.com", "words").text == (
        "92% of the label in dictionary words, 1 lure word, 1 brand name"
    )
    assert trait_of("qwrtpsdf.com", "words").text == "no dictionary words"


def test_letters_are_those_of_the_label() -> None:
    """Letters are quoted with their surprise; of a name that is a suffix itself they are the suffix's."""
    letters = trait_of("www.qwrtpsdf.com", "letters")
    assert letters.value == "qwrtpsdf"
    assert letters.text.startswith('letters of "qwrtpsdf" (')
    assert letters.text.endswith(" bits of surprise each)")
    assert trait_of("co.uk", "letters").value == "co.uk"
