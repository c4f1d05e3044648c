import numpy as np
import pytest
from jaxtyping import Bool, Float

from contract.feature_schema import LEXICAL_FEATURES
from contract.graph_checks import validate
from contract.graphs import DomainGraphs
from explainer.name_text import target_parts
from explainer.random_turn import random_turn
from explainer.rule_game import OWN_SHARE, RuleGame
from explainer.traits import TRAIT_OF_FEATURE, TRAITS
from tests.explainer.ego_graphs import (
    APEX,
    LENDERS,
    SUBDOMAIN,
    assert_same,
    column_of,
    lenders,
    linked,
    name_set,
    rule_game,
)

LEXICAL = len(LEXICAL_FEATURES)


def graphs_of(game: RuleGame, rows: Float[np.ndarray, "rows columns"], seed: int = 0) -> DomainGraphs:
    with random_turn(seed, 1.0):
        return game.graphs(rows)


def nothing_kept(game: RuleGame, lender: str) -> Float[np.ndarray, "1 columns"]:
    """A row with the numbers of another name, and nothing as it is here."""
    example = game.examples[LENDERS.index(lender)]
    return np.where([column.is_number for column in game.columns], example, 0.0)[None]


def features_of(trait: str) -> Bool[np.ndarray, " lexical"]:
    """The columns of one trait."""
    return [trait.name for trait in TRAITS].index(trait) == TRAIT_OF_FEATURE


def lexical(graphs: DomainGraphs) -> Float[np.ndarray, "rows lexical"]:
    return graphs.node_features[graphs.target_nodes, :LEXICAL]


@pytest.mark.parametrize("name", [APEX, SUBDOMAIN, "www.x7-q2zkw.xyz", "co.uk", "localhost"])
def test_the_domains_own_row_is_its_own_graph(name: str) -> None:
    """Whatever is drawn, the instance stands for the graph as it is, bit for bit."""
    game = rule_game(name)
    for seed in range(3):
        assert_same(graphs_of(game, game.instance[None], seed), linked(name).graph)


def test_columns_are_numbers_first_and_then_every_player() -> None:
    """Alibi wants numbers first; every player has a column, and every trait with a headline a number as well."""
    game = rule_game(APEX)
    with_headline = [trait.name for trait in TRAITS if trait.headline]
    numbers = [column.player.key for column in game.columns if column.is_number]
    players = [column.player.key for column in game.columns if not column.is_number]
    assert numbers == with_headline
    assert players == [player.key for player in linked(APEX).players]
    assert [column.is_number for column in game.columns] == sorted(
        (column.is_number for column in game.columns), reverse=True
    )


def test_numbers_are_in_units() -> None:
    """A rule speaks of characters and hyphens, not of what the model reads."""
    game = rule_game("a-b-kitchen.com")
    assert game.instance[column_of(game, "length", number=True)] == pytest.approx(11)
    assert game.instance[column_of(game, "hyphens", number=True)] == pytest.approx(2)
    place = LENDERS.index("paypal-login.com")
    assert game.examples[place, column_of(game, "length", number=True)] == pytest.approx(12)


def test_examples_are_the_background_and_the_domain() -> None:
    """Each background name has a row with its own numbers; the last row is the domain's."""
    game = rule_game(APEX)
    assert game.examples.shape == (len(LENDERS) + 1, len(game.columns))
    assert game.examples[-1].tolist() == game.instance.tolist()
    digits = LEXICAL_FEATURES.index("label_digit_share")
    numbers = game.examples[:-1, column_of(game, "digits", number=True)]
    np.testing.assert_allclose(numbers, lenders().features[:, digits], rtol=1e-6)


@pytest.mark.parametrize("name", [APEX, SUBDOMAIN, "localhost"])
@pytest.mark.parametrize("seed", range(3))
def test_every_category_of_the_domain_is_there(name: str, seed: int) -> None:
    """Alibi has rows to draw from for each player as it is here; neighbours are there in some and away in some."""
    game = rule_game(name, seed)
    for values, about in zip(game.examples.T, game.columns, strict=True):
        if about.player.kind == "neighbour":
            assert set(values.tolist()) == {0.0, 1.0}
        elif not about.is_number:
            assert 1.0 in values
            assert set(values.tolist()) <= {0.0, 1.0}


def test_a_trait_that_a_background_name_shares_is_as_it_is_here() -> None:
    """Names with the domain's own suffix count as keeping it, so that a rule about it covers them."""
    game = rule_game("nobody.xyz")
    suffix = game.examples[:-1, column_of(game, "suffix")]
    sharing = np.array([name.endswith(".xyz") for name in LENDERS])
    assert suffix[sharing].all()
    assert suffix[~sharing].mean() < 3 * OWN_SHARE


@pytest.mark.parametrize("lender", ["x7-q2zkw.xyz", "scanner.office.lan", "www.thistle.co.uk"])
def test_a_row_of_anothers_numbers_takes_its_traits(lender: str) -> None:
    """Where the number is one name's alone the trait is that name's: figures, and letters as well."""
    game = rule_game(APEX)
    graphs = graphs_of(game, nothing_kept(game, lender))
    own = name_set(lender)
    taken = features_of("letters")
    assert lexical(graphs)[0, taken].tobytes() == own.features[0, taken].tobytes()
    assert target_parts(graphs, 0)[1] == own.parts[0][1]


def test_of_names_with_the_same_number_each_may_lend() -> None:
    """Many names have no digit: whose other figures of that trait come along is drawn, the domain's among them."""
    game = rule_game(APEX)
    rows = np.repeat(nothing_kept(game, "sun.com"), 600, axis=0)
    hexes = LEXICAL_FEATURES.index("label_hex_share")
    drawn = lexical(graphs_of(game, rows))[:, hexes]
    without_digits = game.examples[:, column_of(game, "digits", number=True)] == 0
    possible = np.append(lenders().features[:, hexes], linked(APEX).ego.own.features[0, hexes])[
        without_digits
    ]
    assert len(set(possible.tolist())) > 5
    assert set(drawn.tolist()) == set(possible.tolist())


def test_a_trait_kept_as_it_is_overrides_its_number() -> None:
    """Asked for both, the domain's own trait is what stands."""
    game = rule_game("vvv-q9zkw.xyz")
    row = nothing_kept(game, "sun.com")
    row[0, column_of(game, "letters")] = 1
    graphs = graphs_of(game, row)
    taken = features_of("letters")
    assert lexical(graphs)[0, taken].tobytes() == linked("vvv-q9zkw.xyz").ego.own.features[0, taken].tobytes()
    assert target_parts(graphs, 0)[1] == b"vvv-q9zkw"


def test_a_trait_left_open_is_any_names() -> None:
    """What has no number and is not kept is drawn from the whole background."""
    game = rule_game(APEX)
    rows = np.repeat(nothing_kept(game, "sun.com"), 400, axis=0)
    graphs = graphs_of(game, rows)
    suffixes = {target_parts(graphs, row)[2] for row in range(len(rows))}
    assert suffixes == {parts[2] for parts in lenders().parts}


@pytest.mark.parametrize("key", ["resolves 11.0.2.1", "nameserver ns2.dns.test", "similar example.org"])
def test_a_neighbours_flag_is_its_link(key: str) -> None:
    """Without the flag the link is away, and it alone."""
    game = rule_game(APEX)
    row = game.instance[None].copy()
    row[0, column_of(game, key)] = 0
    ego = linked(APEX).ego
    link = next(player.place for player in linked(APEX).players if player.key == key)
    kept = np.arange(ego.link_count)[None] != link
    expected = ego.perturbed(lenders(), np.full((1, len(TRAITS)), -1), kept)
    assert_same(graphs_of(game, row), expected)


def test_the_same_seed_gives_the_same_graphs() -> None:
    """Examples and what rows leave open are repeated by their seed, and by no other."""
    game, again, other = rule_game(APEX, 1), rule_game(APEX, 1), rule_game(APEX, 2)
    assert game.examples.tobytes() == again.examples.tobytes()
    assert game.examples.tobytes() != other.examples.tobytes()
    assert_same(graphs_of(game, game.examples, 3), graphs_of(again, game.examples, 3))
    assert (
        graphs_of(game, game.examples, 4).name_bytes.tobytes()
        != graphs_of(game, game.examples, 3).name_bytes.tobytes()
    )


def test_every_example_is_a_graph() -> None:
    """The predictor accepts what rows stand for."""
    game = rule_game(APEX)
    graphs = graphs_of(game, game.examples)
    validate(graphs)
    assert graphs.graph_count == len(game.examples)
