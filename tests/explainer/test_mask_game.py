import numpy as np
import pytest

from contract.feature_schema import LEXICAL_FEATURES
from contract.graph_checks import validate
from contract.graphs import split
from explainer.mask_game import MaskGame
from explainer.name_text import target_parts
from explainer.players import players_of
from explainer.traits import TRAIT_OF_FEATURE
from tests.explainer.ego_graphs import APEX, MANY, SUBDOMAIN, assert_same, linked, lone, name_set

REFERENCE = "kitchen.app"


def game_of(name: str) -> MaskGame:
    cut = linked(name)
    reference = name_set(REFERENCE)
    return MaskGame(cut.ego, players_of(cut.ego, cut.labels, reference), reference)


def masks_without(game: MaskGame, *absent: int) -> np.ndarray:
    masks = np.ones((1, len(game.players)), bool)
    masks[0, list(absent)] = False
    return masks


@pytest.mark.parametrize("name", [APEX, SUBDOMAIN, MANY, "www.x7-q2zkw.xyz", "co.uk", "localhost"])
def test_all_players_are_the_domain(name: str) -> None:
    """With everything there the graph is the domain's own, bit for bit."""
    game = game_of(name)
    assert_same(game.graphs(masks_without(game)), game.ego.graph)


@pytest.mark.parametrize("name", [APEX, SUBDOMAIN, MANY, "www.x7-q2zkw.xyz", "co.uk", "localhost"])
def test_nobody_is_the_reference_alone(name: str) -> None:
    """With everything away the graph is the reference name's, of which nobody knows anything."""
    game = game_of(name)
    nobody = game.graphs(np.zeros((1, len(game.players)), bool))
    assert_same(nobody, lone(REFERENCE))


@pytest.mark.parametrize("name", [APEX, SUBDOMAIN])
def test_an_absent_neighbour_is_an_absent_link(name: str) -> None:
    """Each neighbour stands for its own link, and takes nothing of the name away."""
    game = game_of(name)
    neighbours = [column for column, player in enumerate(game.players) if player.kind == "neighbour"]
    assert neighbours
    for column in neighbours:
        link = game.players[column].place
        graph = game.graphs(masks_without(game, column))
        target_edges = (graph.edge_index == graph.target_nodes[0]).any(axis=0).sum()
        assert target_edges == 2 * (game.ego.link_count - 1)
        kept = np.arange(game.ego.link_count) != link
        left = np.sort(graph.edge_type[graph.edge_index[0] == 0])
        assert left.tolist() == sorted(game.ego.link_relations[kept].tolist())
        own = game.ego.own.features[0]
        assert graph.node_features[0, : len(LEXICAL_FEATURES)].tobytes() == own.tobytes()


def test_an_absent_trait_is_the_references() -> None:
    """Each trait's features become those of the reference, the others and all neighbours stay."""
    game = game_of(SUBDOMAIN)
    traits = [column for column, player in enumerate(game.players) if player.kind == "name"]
    assert len(traits) > 3
    for column in traits:
        graph = game.graphs(masks_without(game, column))
        taken = game.players[column].place == TRAIT_OF_FEATURE
        expected = np.where(taken, game.reference.features[0], game.ego.own.features[0])
        assert graph.node_features[0, : len(LEXICAL_FEATURES)].tobytes() == expected.tobytes()
        assert graph.edge_count == game.ego.graph.edge_count


def test_texts_go_with_their_traits() -> None:
    """Without its letters shop.example.com is shop.kitchen.com to the model, without its suffix shop.example.app."""
    game = game_of(SUBDOMAIN)
    column = {player.key: place for place, player in enumerate(game.players)}
    masks = np.concatenate([masks_without(game, column[key]) for key in ("letters", "suffix", "subdomain")])
    graphs = game.graphs(masks)
    assert [b".".join(filter(None, target_parts(graphs, row))) for row in range(3)] == [
        b"shop.kitchen.com",
        b"shop.example.app",
        b"example.com",
    ]


def test_every_coalition_is_a_graph_of_its_own() -> None:
    """Many coalitions at once are the graphs that each would be alone, and the predictor accepts them."""
    game = game_of(APEX)
    masks = np.random.default_rng(0).random((64, len(game.players))) < 0.5
    graphs = game.graphs(masks)
    validate(graphs)
    for row, graph in enumerate(split(graphs, [1] * len(masks))):
        assert_same(graph, game.graphs(masks[row : row + 1]))
