from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.feature_schema import (
    IP_NODE,
    LEXICAL_FEATURES,
    NAMESERVER_NODE,
    RELATION_IDS,
    RELATIONS,
    reverse_of,
)
from contract.graph_checks import validate
from contract.graphs import DomainGraphs, split
from tests.transformer.passive_dns import build, name_at, observation, random_records, small_snapshot
from transformer.answers import read_answers
from transformer.domain_name import parse_domain
from transformer.graph_store import Snapshot
from transformer.lexical import lexical_features
from transformer.subgraph import MAX_NODES, Target, extract
from transformer.walk import CAPS

ANSWERS = (
    "",
    "A 11.0.2.1",
    "A 11.0.2.1, A 11.51.100.77, NS ns3.example.net, NS new-ns.example.net",
    f"CNAME {name_at(0)}, A 11.0.113.9",
    "CNAME nobody.knows.example, AAAA 3ffe:b00::5",
    ", ".join(f"A 11.51.100.{last}" for last in range(30)),
)
UNSEEN = ("brand-new.sh0p1ly.net", "shopp0ly.xyz", "nobody.example", "localhost", "com", "_dmarc.shop2ly.com")
# Texts, parsed in the tests: the type checks of our functions draw random numbers, which strategies must not.
TEXTS = st.tuples(
    st.one_of(st.integers(0, 119).map(name_at), st.sampled_from(UNSEEN)), st.sampled_from(ANSWERS)
)
BATCHES = st.lists(TEXTS, min_size=1, max_size=8)
Texts = tuple[str, str]
# Time limits of single examples would fail on a busy machine.
EXAMPLES = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A graph of 120 names in which most ego-graphs meet their caps."""
    return build(tmp_path_factory.mktemp("store"), random_records(7, 120, 1500))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return small_snapshot(tmp_path_factory.mktemp("store"))


def target(name: str, answers: str = "") -> Target:
    owner = parse_domain(name)
    return Target(owner, read_answers(answers, owner).records)


def graph_of(snapshot: Snapshot, name: str, answers: str = "") -> DomainGraphs:
    return extract(snapshot, [target(name, answers)]).graphs


def names_in(graphs: DomainGraphs) -> list[str]:
    texts = np.split(graphs.name_bytes, graphs.name_offsets[1:-1])
    return [text.tobytes().decode() for text in texts]


def edges_in(graphs: DomainGraphs) -> set[tuple[int, str, int]]:
    columns = zip(*graphs.edge_index.tolist(), graphs.edge_type.tolist(), strict=True)
    return {(source, RELATIONS[relation], other) for source, other, relation in columns}


def degree(graphs: DomainGraphs, node: int, relation: str) -> float:
    column = len(LEXICAL_FEATURES) + RELATION_IDS[relation]
    return float(np.expm1(graphs.node_features[node, column].astype(np.float64)))


def assert_same(one: DomainGraphs, other: DomainGraphs) -> None:
    for field in fields(DomainGraphs):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if field.name == "node_features":
            np.testing.assert_allclose(left, right, rtol=0, atol=1e-6)
        else:
            np.testing.assert_array_equal(left, right)


@EXAMPLES
@given(texts=BATCHES)
def test_a_target_has_the_same_tensors_alone_and_in_any_batch(crowded: Snapshot, texts: list[Texts]) -> None:
    """Batch invariance, for stored and unseen names with and without answers."""
    batch = [target(*text) for text in texts]
    together = extract(crowded, batch)
    for each, graph, count in zip(
        batch, split(together.graphs, [1] * len(batch)), together.neighbours, strict=True
    ):
        alone = extract(crowded, [each])
        assert_same(alone.graphs, graph)
        assert alone.neighbours.tolist() == [count]


@EXAMPLES
@given(texts=BATCHES)
def test_graphs_keep_the_contract(crowded: Snapshot, texts: list[Texts]) -> None:
    """Bounds, offsets and names pass the predictor's own checks; the target comes first; caps hold."""
    batch = [target(*text) for text in texts]
    graphs = extract(crowded, batch).graphs
    validate(graphs)
    assert graphs.target_nodes.tolist() == graphs.node_offsets[:-1].tolist()
    assert np.diff(graphs.node_offsets).max() <= MAX_NODES
    for place, each in enumerate(batch):
        assert names_in(graphs)[graphs.target_nodes[place]] == each.domain.name


@EXAMPLES
@given(texts=TEXTS)
def test_edges_come_once_and_with_their_reverse(crowded: Snapshot, texts: Texts) -> None:
    """Edge a - r - b stands beside b - reverse of r - a, and no edge twice or from a node to itself."""
    graphs = graph_of(crowded, *texts)
    edges = edges_in(graphs)
    assert len(edges) == graphs.edge_count
    assert {(other, reverse_of(relation), source) for source, relation, other in edges} == edges
    assert all(source != other for source, _, other in edges)


@EXAMPLES
@given(texts=TEXTS)
def test_every_node_is_within_two_hops_of_the_target(crowded: Snapshot, texts: Texts) -> None:
    """No node stands apart: the edges lead from the target to all of its graph."""
    graphs = graph_of(crowded, *texts)
    near = {0} | set(graphs.edge_index[1][graphs.edge_index[0] == 0].tolist())
    far = set(graphs.edge_index[1][np.isin(graphs.edge_index[0], list(near))].tolist())
    assert near | far == set(range(graphs.node_count))


@EXAMPLES
@given(texts=TEXTS)
def test_the_targets_own_neighbours_are_capped(crowded: Snapshot, texts: Texts) -> None:
    """At most the cap from the graph and as many from the answers, by relation."""
    edges = edges_in(graph_of(crowded, *texts))
    for relation, cap in CAPS["target"].items():
        assert sum(edge[:2] == (0, relation) for edge in edges) <= 2 * cap


def test_a_full_graph_is_reached_and_not_passed(crowded: Snapshot) -> None:
    """The hard limit on nodes binds somewhere in a crowded graph, and exactly."""
    batch = [target(name_at(number)) for number in range(120)]
    assert extract(crowded, batch).neighbours.max() == MAX_NODES - 1


def test_a_stored_target_and_its_surroundings(small: Snapshot) -> None:
    """Address, names beside it, registered domain and what that knows: all within two hops."""
    graphs = graph_of(small, "www.shop.example.com")
    names = names_in(graphs)
    domains = {name for name in names if name}
    assert domains == {
        "www.shop.example.com",
        "example.com",
        "mail.example.com",
        "cdn.example.com",
        "paypa1.net",
    }
    apex = names.index("example.com")
    assert (0, "apex", apex) in edges_in(graphs)
    assert (apex, "apex_rev", names.index("mail.example.com")) in edges_in(graphs)
    kinds = np.bincount(graphs.node_type, minlength=3)
    assert kinds[[IP_NODE, NAMESERVER_NODE]].tolist() == [2, 1]


def test_answers_that_the_graph_holds_change_nothing(small: Snapshot) -> None:
    """A resolver's answer that passive DNS has seen before adds no edge and no degree."""
    known = graph_of(small, "example.com")
    assert_same(graph_of(small, "example.com", "A 11.0.2.2, NS NS1.dns.example.net."), known)


def test_a_new_answer_of_a_stored_name_adds_an_edge_and_a_degree(small: Snapshot) -> None:
    """One new address beside the stored one: the target's degree is two in this request only."""
    graphs = graph_of(small, "example.com", "A 11.0.2.2, A 11.0.2.9, A 11.0.2.9")
    assert degree(graphs, 0, "resolves") == pytest.approx(2, abs=1e-5)
    assert "paypal.com" in names_in(graphs)
    assert degree(graph_of(small, "example.com"), 0, "resolves") == pytest.approx(1, abs=1e-5)


def test_an_unseen_name_reaches_known_infrastructure_through_its_answers(small: Snapshot) -> None:
    """Its address, nameserver and registered domain are expanded as if it had been stored."""
    answers = "A 11.0.2.1, NS ns1.dns.example.net, CNAME edge.example.org"
    graphs = graph_of(small, "login.example.com", answers)
    names = names_in(graphs)
    assert {"mail.example.com", "paypa1.net", "other.example.org", "example.com", "edge.example.org"} < set(
        names
    )
    for relation in ("resolves", "nameserver", "alias", "apex"):
        assert degree(graphs, 0, relation) == pytest.approx(1, abs=1e-5)
    expected = lexical_features([parse_domain("login.example.com")])[0]
    np.testing.assert_allclose(graphs.node_features[0, : len(LEXICAL_FEATURES)], expected, rtol=0, atol=1e-6)


def test_an_unseen_name_is_linked_to_its_look_alikes(small: Snapshot) -> None:
    """A registered domain that looks like known ones is joined to them, and to their addresses."""
    graphs = graph_of(small, "pay-pal.org")
    names = names_in(graphs)
    assert {"paypal.com", "paypa1.net"} < set(names)
    assert (0, "similar", names.index("paypal.com")) in edges_in(graphs)
    assert (graphs.node_type == IP_NODE).sum() == 2


@given(st.lists(st.integers(0, 200), max_size=40), st.sampled_from(["www.example.com", "nobody.test"]))
def test_answers_that_nobody_shares_change_nothing(small: Snapshot, junk: list[int], name: str) -> None:
    """However many there are and wherever they stand: they neither count nor crowd out what is known."""
    known = "A 11.0.2.1, NS ns1.example.net"
    made_up = [f"A 11.99.{n}.5, NS ns{n}.nobody.test, CNAME alias{n}.nobody.test" for n in junk]
    alone = extract(small, [target(name, known)])
    for mixed in (", ".join([*made_up, known]), ", ".join([known, *made_up])):
        crowded = extract(small, [target(name, mixed)])
        assert crowded.neighbours.tolist() == alone.neighbours.tolist()
        np.testing.assert_array_equal(crowded.graphs.node_features, alone.graphs.node_features)
    nothing = extract(small, [target("nobody.test", ", ".join(made_up))])
    assert nothing.neighbours.tolist() == [0]


@pytest.mark.parametrize("name", ["nobody.test", "com", "localhost", "_dmarc.nobody.test"])
def test_a_name_without_evidence_is_one_node(name: str) -> None:
    """On an empty graph every name is scored by its looks: no edges, graph features zero."""
    ego_graphs = extract(Snapshot.empty(), [target(name)])
    assert (ego_graphs.graphs.node_count, ego_graphs.graphs.edge_count) == (1, 0)
    assert ego_graphs.neighbours.tolist() == [0]
    assert not ego_graphs.graphs.node_features[0, len(LEXICAL_FEATURES) :].any()


def test_an_alias_to_itself_is_no_edge(small: Snapshot) -> None:
    """CNAME loops of length one are dropped, in the store and in answers."""
    assert graph_of(small, "loop.test", "CNAME LOOP.test").edge_count == 0


def test_cost_does_not_follow_degree(tmp_path: Path) -> None:
    """A name on an address with thousands of others gets a small graph of the first by hash."""
    records = [observation(f"h{number}.example", "A", "11.0.2.1") for number in range(3000)]
    snapshot = build(tmp_path, records)
    ego_graphs = extract(snapshot, [target("h7.example"), target("unseen.example", "A 11.0.2.1")])
    assert ego_graphs.neighbours.max() <= 1 + CAPS["resolves"]["resolves_rev"]


def test_more_targets_than_one_chunk(small: Snapshot) -> None:
    """Large batches are walked in parts and joined again, each target in its place."""
    batch = [target("example.com"), target("paypal.com", "A 11.0.2.1")] * 700
    ego_graphs = extract(small, batch)
    validate(ego_graphs.graphs)
    assert ego_graphs.neighbours.tolist() == extract(small, batch[:2]).neighbours.tolist() * 700
