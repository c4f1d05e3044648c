import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Bool, Int64

from contract.feature_schema import LEXICAL_FEATURES, RELATION_IDS, RELATIONS
from contract.graph_checks import validate
from contract.graphs import DomainGraphs, split
from explainer.name_text import target_parts
from explainer.perturbation import OWN, EgoGraph, NameSet
from explainer.traits import TEXTS, TRAIT_OF_FEATURE, TRAIT_OF_TEXT, TRAITS
from tests.explainer.ego_graphs import (
    APEX,
    LENDERS,
    MANY,
    SUBDOMAIN,
    Labelled,
    assert_same,
    crowded,
    lenders,
    linked,
    lone,
    name_set,
)
from tests.transformer.passive_dns import name_at

LEXICAL = len(LEXICAL_FEATURES)
# Time limits of single examples would fail on a busy machine.
relaxed = settings(max_examples=60, deadline=None)
# A name, and a seed of which traits and links are taken away; a number is a name of the crowded graph.
names = st.one_of(
    st.sampled_from([APEX, SUBDOMAIN, MANY, "com", "localhost", r"a\.b.co.uk"]), st.integers(0, 119)
)
seeds = st.integers(0, 2**32 - 1)
ROWS = 5


def graph_of(name: str | int) -> Labelled:
    return linked(name) if isinstance(name, str) else linked(name_at(name), snapshot=crowded())


def own_traits(rows: int) -> Int64[np.ndarray, "rows traits"]:
    return np.full((rows, len(TRAITS)), OWN)


def choices(
    ego: EgoGraph, seed: int
) -> tuple[Int64[np.ndarray, "rows traits"], Bool[np.ndarray, "rows links"]]:
    """For each row which traits come from whom, and which links are there: some rows nearly all, some few."""
    rng = np.random.default_rng(seed)
    sources = rng.integers(OWN, len(LENDERS), (ROWS, len(TRAITS)))
    sources[rng.random(sources.shape) < rng.random((ROWS, 1))] = OWN
    return sources, rng.random((ROWS, ego.link_count)) < rng.random((ROWS, 1))


def without(ego: EgoGraph, *absent: int) -> DomainGraphs:
    """The graph without some of its links."""
    kept = np.ones((1, ego.link_count), bool)
    kept[0, list(absent)] = False
    return ego.perturbed(name_set("sun.test"), own_traits(1), kept)


def link(ego: EgoGraph, labels: list[str], relation: str, label: str) -> int:
    """The place of one link."""
    links = zip(ego.link_relations.tolist(), ego.link_nodes.tolist(), strict=True)
    return [(RELATIONS[kind], labels[node]) for kind, node in links].index((relation, label))


def expected_cut(ego: EgoGraph, kept: Bool[np.ndarray, " links"]) -> tuple[list[int], list[int]]:
    """Nodes and edges that are left, found by walking from the target edge by edge."""
    target = int(ego.graph.target_nodes[0])
    edges = list(zip(*ego.graph.edge_index.tolist(), ego.link_of_edge.tolist(), strict=True))
    left = [place for place, edge in enumerate(edges) if edge[2] < 0 or kept[edge[2]]]
    reached, frontier = {target}, {target}
    while frontier:
        frontier = {edges[place][1] for place in left if edges[place][0] in frontier} - reached
        reached |= frontier
    return sorted(reached), [place for place in left if edges[place][0] in reached]


def expected_parts(givers: NameSet, own: NameSet, sources: Int64[np.ndarray, " traits"]) -> tuple[bytes, ...]:
    return tuple(
        (own.parts[0] if sources[trait] == OWN else givers.parts[sources[trait]])[text]
        for text, trait in enumerate(TRAIT_OF_TEXT)
    )


@pytest.mark.parametrize("name", [APEX, SUBDOMAIN, MANY, "com", "localhost", "printer.lan", r"a\.b.co.uk"])
def test_nothing_taken_away_is_the_graph_itself(name: str) -> None:
    """Every tensor comes back bit for bit."""
    graph = linked(name).graph
    assert_same(without(EgoGraph.of(graph)), graph)


@relaxed
@given(st.integers(0, 119))
def test_nothing_taken_away_of_a_crowded_graph(number: int) -> None:
    """Also where caps have cut the graph out of a larger one."""
    graph = graph_of(number).graph
    assert_same(without(EgoGraph.of(graph)), graph)


@relaxed
@given(names, seeds)
def test_every_perturbed_batch_is_a_batch(name: str | int, seed: int) -> None:
    """Whatever is taken away, the predictor accepts the graphs."""
    ego = graph_of(name).ego
    perturbed = ego.perturbed(lenders(), *choices(ego, seed))
    validate(perturbed)
    assert perturbed.graph_count == ROWS


@relaxed
@given(names, seeds)
def test_a_row_is_the_same_alone_and_in_a_batch(name: str | int, seed: int) -> None:
    """No row sees another."""
    ego = graph_of(name).ego
    sources, kept = choices(ego, seed)
    batch = split(ego.perturbed(lenders(), sources, kept), [1] * ROWS)
    for row, graph in enumerate(batch):
        alone = ego.perturbed(lenders(), sources[row : row + 1], kept[row : row + 1])
        assert_same(graph, alone)


@relaxed
@given(names, seeds)
def test_absent_links_take_what_hangs_on_them(name: str | int, seed: int) -> None:
    """What a walk from the target still reaches is left, with its edges and in its order; nothing else."""
    ego = graph_of(name).ego
    _, kept = choices(ego, seed)
    perturbed = ego.perturbed(name_set("sun.test"), own_traits(ROWS), kept)
    for row, graph in enumerate(split(perturbed, [1] * ROWS)):
        nodes, edges = expected_cut(ego, kept[row])
        assert graph.node_type.tolist() == ego.graph.node_type[nodes].tolist()
        assert graph.name_parts.tolist() == ego.graph.name_parts[nodes].tolist()
        assert graph.node_features[1:].tobytes() == ego.graph.node_features[nodes[1:]].tobytes()
        assert graph.edge_type.tolist() == ego.graph.edge_type[edges].tolist()
        assert np.array(nodes)[graph.edge_index].tolist() == ego.graph.edge_index[:, edges].tolist()


@pytest.mark.parametrize("name", [APEX, SUBDOMAIN, MANY])
def test_without_neighbours_a_name_is_as_nobody_knows_it(name: str) -> None:
    """All links absent is the graph that the featurizer cuts where the store is empty."""
    ego = linked(name).ego
    assert ego.link_count > 0
    assert_same(without(ego, *range(ego.link_count)), lone(name))


def test_an_edge_and_its_reverse_are_one_link() -> None:
    """An address and a name server are each one link, as seen from the name."""
    cut = linked("new.test", "A 11.0.2.9, NS ns2.dns.test")
    ego = cut.ego
    target = int(ego.graph.target_nodes[0])
    assert (ego.link_count, int((ego.graph.edge_index == target).sum())) == (2, 4)
    assert [RELATIONS[relation] for relation in ego.link_relations] == ["resolves", "nameserver"]
    assert [cut.labels[node] for node in ego.link_nodes] == ["11.0.2.9", "ns2.dns.test"]


def test_an_absent_leaf_removes_two_edges_and_one_node() -> None:
    """Only the address itself goes, and the edges to and from it."""
    cut = linked(APEX)
    ego = cut.ego
    graph = without(ego, link(ego, cut.labels, "resolves", "11.0.2.3"))
    assert graph.edge_count == ego.graph.edge_count - 2
    assert graph.node_count == ego.graph.node_count - 1


def test_what_hangs_on_two_links_stays_until_both_are_gone() -> None:
    """both.example.org is on two addresses of the name: it stays with one of them and goes with the other."""
    cut = linked(SUBDOMAIN)
    ego = cut.ego
    first, second = (link(ego, cut.labels, "resolves", f"11.0.2.{last}") for last in (1, 2))
    apex = link(ego, cut.labels, "apex", APEX)

    def holds(graph: DomainGraphs, name: bytes) -> bool:
        texts = np.split(graph.name_bytes, graph.name_offsets[1:-1])
        return name in {text.tobytes() for text in texts}

    assert holds(without(ego, apex), b"both.example.org")
    assert holds(without(ego, apex, first), b"both.example.org")
    assert holds(without(ego, apex, second), b"both.example.org")
    assert not holds(without(ego, apex, first, second), b"both.example.org")


def test_degrees_shrink_in_proportion() -> None:
    """Half of the 8 addresses shown stand for half of the 12 that the store knows; other degrees stay."""
    ego = linked(MANY).ego
    assert ego.link_count == 8
    features = without(ego, 0, 3, 5, 6).node_features[0]
    resolves = LEXICAL + RELATION_IDS["resolves"]
    assert np.expm1(features[resolves]) == pytest.approx(6, abs=1e-4)
    assert np.expm1(ego.graph.node_features[0, resolves]) == pytest.approx(12, abs=1e-4)
    others = np.arange(len(features)) != resolves
    assert features[others].tobytes() == ego.graph.node_features[0, others].tobytes()


@relaxed
@given(names, seeds)
def test_a_lent_trait_brings_its_features_and_its_text(name: str | int, seed: int) -> None:
    """Each trait is that of the name it comes from; those that nobody lends stay the name's own."""
    ego, givers = graph_of(name).ego, lenders()
    sources, _ = choices(ego, seed)
    perturbed = ego.perturbed(givers, sources, np.ones((ROWS, ego.link_count), bool))
    for row in range(ROWS):
        features = perturbed.node_features[perturbed.target_nodes[row], :LEXICAL]
        giver = sources[row, TRAIT_OF_FEATURE]
        lent = np.where(giver == OWN, ego.own.features[0], givers.features[giver, np.arange(LEXICAL)])
        assert features.tobytes() == lent.tobytes()
        assert target_parts(perturbed, row) == expected_parts(givers, ego.own, sources[row])


def test_names_share_a_trait_when_its_numbers_and_its_text_are_the_same() -> None:
    """A suffix of the same figures is another when its letters are; a length is a matter of figures alone."""
    own, others = name_set("kitchen.dev"), name_set("bedroom.dev", "kitchen.app", "kitchen.dev")
    shared = {trait.name: own.shares(others, place).tolist() for place, trait in enumerate(TRAITS)}
    assert shared["suffix"] == [True, False, True]
    assert shared["letters"] == [False, True, True]
    assert shared["length"] == [True, True, True]


def test_texts_are_the_parts_of_the_target() -> None:
    """The set of one that a graph's own name is has the parts in the order of TEXTS."""
    own = linked("www.example.co.uk").ego.own
    assert dict(zip(TEXTS, own.parts[0], strict=True)) == {
        "subdomain": b"www",
        "label": b"example",
        "suffix": b"co.uk",
    }


def test_nothing_given_is_changed() -> None:
    """Graph, lenders and choices are as before, so that they may be shared between explanations."""
    cut, givers = linked(APEX), lenders()
    ego = cut.ego
    sources, kept = choices(ego, 0)
    given_arrays = [*cut.graph.tensors().values(), givers.features, sources, kept]
    before = [array.tobytes() for array in given_arrays]
    ego.perturbed(givers, sources, kept)
    assert [array.tobytes() for array in given_arrays] == before


def test_parts_of_long_names_make_no_longer_name_than_there_is() -> None:
    """A name of 250 characters whose label is replaced by a longer one is still at most 253."""
    cut = linked(".".join(["a" * 63] * 3 + ["b" * 52, "cd", "de"]))
    sources = np.full((1, len(TRAITS)), OWN)
    sources[0, [trait.name for trait in TRAITS].index("letters")] = 0
    kept = np.ones((1, cut.ego.link_count), bool)
    perturbed = cut.ego.perturbed(name_set("ordinaryname.com"), sources, kept)
    validate(perturbed)
    assert b".ordinaryname.de" in perturbed.name_bytes.tobytes()
