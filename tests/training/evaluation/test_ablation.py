import numpy as np
import pytest

from contract.feature_schema import LEXICAL_FEATURES, NODE_FEATURES, RELATION_IDS, RELATIONS
from contract.graph_checks import validate
from contract.graphs import DomainGraphs, split
from tests.graphs import random_graphs
from training.evaluation.ablation import (
    feature_groups,
    no_hop,
    of_graphs,
    of_names,
    one_hop,
    with_edges,
    without_features,
    without_relation,
)

GRAPHS = random_graphs(np.random.default_rng(0), 30)


def same_but(changed: DomainGraphs, *parts: str) -> bool:
    """Whether all other tensors are as they were."""
    before, after = GRAPHS.tensors(), changed.tensors()
    return all(np.array_equal(before[name], after[name]) for name in before if name not in parts)


def test_groups_hold_every_lexical_feature_once() -> None:
    """Together they are the schema's list; none is empty."""
    groups = feature_groups()
    assert [feature for group in groups.values() for feature in group] == list(LEXICAL_FEATURES)
    assert all(groups.values())


def test_a_suffix_feature_is_in_its_group() -> None:
    """Groups hold what they are called."""
    assert all(feature.startswith("suffix_") for feature in feature_groups()["suffix"])
    assert set(feature_groups()["brands-and-lures"]) == {"lure_words", "brand_words", "brand_is_label"}


@pytest.mark.parametrize("part", [*of_names(), *of_graphs(GRAPHS)])
def test_every_change_keeps_the_contract(part: str) -> None:
    """A predictor would take all of them."""
    changed = (of_names() | of_graphs(GRAPHS))[part](GRAPHS)
    validate(changed)
    assert changed.graph_count == GRAPHS.graph_count


@pytest.mark.parametrize("part", [*of_names(), *of_graphs(GRAPHS)])
def test_every_change_but_the_first_takes_something(part: str) -> None:
    """None is the whole under another name."""
    changed = (of_names() | of_graphs(GRAPHS))[part](GRAPHS)
    assert same_but(changed) is (part == "whole")


def test_features_are_zero_and_the_rest_stays() -> None:
    """On all nodes, in these columns, and nowhere else."""
    changed = without_features(GRAPHS, ["lure_words", "suffix_length"])
    columns = [NODE_FEATURES.index("lure_words"), NODE_FEATURES.index("suffix_length")]
    assert not changed.node_features[:, columns].any()
    others = np.delete(np.arange(len(NODE_FEATURES)), columns)
    np.testing.assert_array_equal(changed.node_features[:, others], GRAPHS.node_features[:, others])
    assert same_but(changed, "node_features")


def test_a_relation_goes_in_both_directions_with_its_degrees() -> None:
    """Edges of other relations stay in order; no degree tells of those that are gone."""
    changed = without_relation(GRAPHS, "resolves")
    gone = {RELATION_IDS["resolves"], RELATION_IDS["resolves_rev"]}
    kept = [kind for kind in GRAPHS.edge_type if kind not in gone]
    assert changed.edge_type.tolist() == kept
    for name in ("log_degree_resolves", "log_degree_resolves_rev"):
        assert not changed.node_features[:, NODE_FEATURES.index(name)].any()
    assert same_but(changed, "edge_type", "edge_index", "edge_offsets", "node_features")


def test_edges_stay_with_their_graph() -> None:
    """Cut apart, each graph has the edges of its own that were kept."""
    kept = np.random.default_rng(1).random(GRAPHS.edge_count) < 0.5
    sizes = [1] * GRAPHS.graph_count
    bounds = GRAPHS.edge_offsets
    for place, graph in enumerate(split(with_edges(GRAPHS, kept), sizes)):
        own = slice(bounds[place], bounds[place + 1])
        assert graph.edge_type.tolist() == GRAPHS.edge_type[own][kept[own]].tolist()


def test_one_hop_keeps_edges_of_the_target() -> None:
    """All of them and no others."""
    targets = set(GRAPHS.target_nodes)
    expected = [column for column in GRAPHS.edge_index.T.tolist() if targets & set(column)]
    assert one_hop(GRAPHS).edge_index.T.tolist() == expected
    assert 0 < len(expected) < GRAPHS.edge_count


def test_no_hop_has_no_edges() -> None:
    """The nodes stay, unlinked."""
    assert no_hop(GRAPHS).edge_count == 0
    assert no_hop(GRAPHS).node_count == GRAPHS.node_count


def test_relations_without_edges_are_not_reported() -> None:
    """Taking away what is not there would read as worthless."""
    present = with_edges(
        GRAPHS, np.isin(GRAPHS.edge_type, [RELATIONS.index("apex"), RELATIONS.index("apex_rev")])
    )
    parts = [part for part in of_graphs(present) if part.removeprefix("without-") in RELATIONS]
    assert parts == ["without-apex"]
