from pathlib import Path

import numpy as np
import pytest

from contract.feature_schema import (
    DOMAIN_NODE,
    GRAPH_FEATURES,
    IP_NODE,
    NAMESERVER_NODE,
    RELATION_IDS,
    RELATIONS,
    reverse_of,
)
from tests.transformer.passive_dns import build, observation, random_records, small_snapshot
from transformer.domain_name import parse_domain
from transformer.graph_store import UNKNOWN, PassiveDnsGraph, Snapshot, SnapshotBuilder, UnusableLine
from transformer.lexical import lexical_features


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return small_snapshot(tmp_path_factory.mktemp("store"))


def node(snapshot: Snapshot, name: str, node_type: int = DOMAIN_NODE) -> int:
    return int(snapshot.find(node_type, [name.encode()])[0])


def related(snapshot: Snapshot, name: str, relation: str, node_type: int = DOMAIN_NODE) -> set[str]:
    _, found = snapshot.neighbours(
        np.array([node(snapshot, name, node_type)]), np.array([RELATION_IDS[relation]]), np.array([99])
    )
    return {snapshot.name_of(int(neighbour)) for neighbour in found}


def test_a_snapshot_is_what_extraction_asks_for(snapshot: Snapshot) -> None:
    """The protocol names nothing that the snapshot lacks."""
    assert isinstance(snapshot, PassiveDnsGraph)


def test_every_name_is_found_and_no_other(snapshot: Snapshot) -> None:
    """`find` is exact, by node type, and says UNKNOWN for the rest."""
    for number in range(snapshot.node_count):
        node_type = int(snapshot.node_types(np.array([number]))[0])
        assert node(snapshot, snapshot.name_of(number), node_type) == number
    assert node(snapshot, "nowhere.example") == UNKNOWN
    assert node(snapshot, "11.0.2.1") == UNKNOWN
    assert node(snapshot, "ns1.dns.example.net") == UNKNOWN
    assert node(snapshot, "ns1.dns.example.net", NAMESERVER_NODE) != UNKNOWN


@pytest.mark.parametrize(
    ("name", "relation", "others"),
    [
        ("example.com", "resolves", {"11.0.2.2"}),
        ("example.com", "nameserver", {"ns1.dns.example.net"}),
        ("cdn.example.com", "alias", {"edge.example.org"}),
        ("edge.example.org", "alias_rev", {"cdn.example.com"}),
        ("www.shop.example.com", "apex", {"example.com"}),
        ("example.com", "apex_rev", {"www.shop.example.com", "mail.example.com", "cdn.example.com"}),
        ("paypal.com", "similar", {"paypa1.net"}),
        ("paypa1.net", "similar", {"paypal.com"}),
        ("example.com", "apex", set()),
    ],
)
def test_records_become_relations(snapshot: Snapshot, name: str, relation: str, others: set[str]) -> None:
    """Observed and derived relations lead where the records say."""
    assert related(snapshot, name, relation) == others


def test_hosts_know_their_names(snapshot: Snapshot) -> None:
    """Addresses and nameservers list the names that lead to them."""
    names = {"www.shop.example.com", "mail.example.com", "paypa1.net"}
    assert related(snapshot, "11.0.2.1", "resolves_rev", IP_NODE) == names
    served = {"example.com", "other.example.org"}
    assert related(snapshot, "ns1.dns.example.net", "nameserver_rev", NAMESERVER_NODE) == served


def test_every_edge_has_its_reverse(tmp_path: Path) -> None:
    """In a random graph, a - r - b is held exactly where b - reverse of r - a is."""
    snapshot = build(tmp_path, random_records(3, 60, 300))
    for relation, number in RELATION_IDS.items():
        nodes = np.arange(snapshot.node_count)
        counts, targets = snapshot.neighbours(
            nodes, np.full(len(nodes), number), np.full(len(nodes), 1 << 30)
        )
        sources = np.repeat(nodes, counts)
        back = np.full(len(sources), RELATION_IDS[reverse_of(relation)])
        assert snapshot.has_edges(targets, back, sources).all()
        assert (sources != targets).all()


def test_repeated_observations_merge(tmp_path: Path) -> None:
    """First seen is the earliest, last seen the latest, counts add up."""
    snapshot = build(
        tmp_path,
        [
            observation("Example.com.", "A", "11.0.2.1", first=5, last=8, count=2),
            observation("example.com", "A", "11.0.2.1", first=3, last=6, count=40),
        ],
    )
    arrays = snapshot.arrays
    assert snapshot.edge_count == 1
    assert (arrays.first_seen[0], arrays.last_seen[0], arrays.counts[0]) == (3, 8, 42)


def test_neighbours_are_the_first_by_hash_whatever_the_limit(tmp_path: Path) -> None:
    """A shorter list is the beginning of a longer one, in the order of node ids, so of hashes."""
    snapshot = build(tmp_path, random_records(4, 80, 400))
    address = np.array([node(snapshot, "11.0.2.0", IP_NODE)])
    relation = np.array([RELATION_IDS["resolves_rev"]])
    _, whole = snapshot.neighbours(address, relation, np.array([1000]))
    _, few = snapshot.neighbours(address, relation, np.array([3]))
    assert len(whole) > 10
    assert few.tolist() == whole[:3].tolist()
    assert whole.tolist() == sorted(whole.tolist())


def test_the_order_of_the_import_does_not_matter(tmp_path: Path) -> None:
    """The same records in another order give the same arrays, byte for byte."""
    records = random_records(5, 60, 300)
    one = build(tmp_path / "one", records)
    other = build(tmp_path / "other", records[::-1])
    for name in one.arrays.__slots__:
        np.testing.assert_array_equal(getattr(one.arrays, name), getattr(other.arrays, name))


def test_features_are_lexical_columns_then_log_degrees(snapshot: Snapshot) -> None:
    """A stored row equals what lexical.py and the degrees say; hosts have no lexical features."""
    nodes = np.arange(snapshot.node_count)
    features, degrees = snapshot.features(nodes), snapshot.degrees(nodes)
    graph_columns = features[:, -len(GRAPH_FEATURES) :]
    np.testing.assert_array_equal(graph_columns, np.log1p(degrees).astype(np.float32))
    domains = nodes[snapshot.node_types(nodes) == DOMAIN_NODE]
    names = [parse_domain(snapshot.name_of(int(number))) for number in domains]
    np.testing.assert_allclose(
        features[domains, : -len(GRAPH_FEATURES)], lexical_features(names), rtol=0, atol=1e-6
    )
    hosts = nodes[snapshot.node_types(nodes) != DOMAIN_NODE]
    assert not features[hosts, : -len(GRAPH_FEATURES)].any()


def test_names_and_their_parts_are_those_of_the_parser(snapshot: Snapshot) -> None:
    """Domain names come back end to end; hosts have empty names and no parts."""
    nodes = np.arange(snapshot.node_count)
    lengths, name_bytes = snapshot.domain_names(nodes)
    parts = snapshot.name_parts(nodes)
    texts = np.split(name_bytes, np.cumsum(lengths)[:-1])
    for number, text, part in zip(nodes, texts, parts, strict=True):
        if snapshot.node_types(np.array([number]))[0] == DOMAIN_NODE:
            domain = parse_domain(snapshot.name_of(int(number)))
            assert text.tobytes() == domain.octets
            assert part.tolist() == [domain.label_start, domain.suffix_start]
        else:
            assert len(text) == 0
            assert part.tolist() == [0, 0]


def test_look_alikes_of_a_label_are_found(snapshot: Snapshot) -> None:
    """Registered domains of the same skeleton, up to the limit; short labels have none."""
    counts, found = snapshot.find_similar(["pay-pall", "unheard-of", "abc"], 4)
    assert counts.tolist() == [2, 0, 0]
    assert {snapshot.name_of(int(number)) for number in found} == {"paypal.com", "paypa1.net"}
    assert snapshot.find_similar(["paypal"], 1)[0].tolist() == [1]


def test_a_large_group_of_look_alikes_adds_four_neighbours_each(tmp_path: Path) -> None:
    """Similar names are linked in a ring, not each with each."""
    records = [
        observation(f"wallet.{suffix}", "A", "11.0.2.1") for suffix in ("com", "net", "org", "de", "fr")
    ]
    records += [observation(f"wa11et.{suffix}", "A", "11.0.2.1") for suffix in ("com", "net", "org")]
    snapshot = build(tmp_path, records)
    degrees = snapshot.degrees(np.arange(8))[:, RELATION_IDS["similar"]]
    assert degrees.tolist() == [4] * 8


def test_the_empty_graph_answers_everything() -> None:
    """No node, no edge, and no error."""
    empty = Snapshot.empty()
    assert empty.find(DOMAIN_NODE, [b"example.com"]).tolist() == [UNKNOWN]
    assert empty.find_similar(["paypal"], 4)[0].tolist() == [0]
    assert (empty.node_count, empty.edge_count, empty.age_seconds, empty.snapshot_id) == (0, 0, 0.0, "empty")
    assert dict.fromkeys(RELATIONS, 0) == empty.meta.edge_counts


@pytest.mark.parametrize(
    ("rrname", "rrtype", "rdata", "reason"),
    [
        ("a b", "A", "11.0.2.1", "not a domain name"),
        ("example.com", "CNAME", "http://x", "not a domain name"),
        ("example.com", "NS", "", "not a domain name"),
        ("example.com", "A", "3ffe:b00::1", "rdata is not an address of its type"),
        ("example.com", "AAAA", "11.0.2.1", "rdata is not an address of its type"),
        ("example.com", "A", "no address", "rdata is not an address of its type"),
        ("example.com", "AAAA", "3ffe:b00::1%eth0", "rdata is not an address of its type"),
    ],
)
def test_the_builder_refuses_what_is_no_name_or_address(
    rrname: str, rrtype: str, rdata: str, reason: str
) -> None:
    """A refused observation adds no edge, also where the value was seen with another type."""
    builder = SnapshotBuilder()
    builder.add(observation("seen.example.com", "A", "11.0.2.1"))
    builder.add(observation("seen.example.com", "AAAA", "3ffe:b00::1"))
    with pytest.raises(UnusableLine) as caught:
        builder.add(observation(rrname, rrtype, rdata))
    assert caught.value.reason == reason
    assert builder.observation_count == 2


@pytest.mark.parametrize(
    ("rrtype", "address", "kind"),
    [
        ("A", "0.0.0.0", "unspecified"),  # noqa: S104
        ("A", "192.0.2.1", "documentation"),
        ("A", "10.0.0.1", "private use"),
        ("AAAA", "::ffff:11.0.2.1", "IPv4-mapped"),
        ("AAAA", "fe80::1", "link-local"),
    ],
)
def test_an_address_that_is_no_evidence_adds_no_edge(rrtype: str, address: str, kind: str) -> None:
    """The name is known from then on and shares nothing; why is told, and what stands beside it counts."""
    builder = SnapshotBuilder()
    [problem] = builder.add(observation("example.com", rrtype, address))
    assert problem.reason == f"special-purpose address ({kind})"
    assert (builder.observation_count, list(builder.addresses)) == (0, [])
    assert list(builder.domains) == ["example.com"]


def test_private_addresses_are_kept_where_that_is_said() -> None:
    """An operator's own network may be evidence; no other special address ever is."""
    builder = SnapshotBuilder(private_addresses=True)
    for rrtype, address in (("A", "10.0.0.1"), ("A", "100.64.0.1"), ("AAAA", "fd00::1")):
        builder.add(observation("seen.example.com", rrtype, address))
    [problem] = builder.add(observation("seen.example.com", "A", "127.0.0.1"))
    assert "loopback" in problem.reason
    assert list(builder.addresses) == ["10.0.0.1", "100.64.0.1", "fd00::1"]


def test_spellings_of_one_address_are_one_node(tmp_path: Path) -> None:
    """IPv6 addresses are kept in canonical form."""
    records = [observation("a.example.com", "AAAA", text) for text in ("3FFE:B00::0:1", "3ffe:b00::1")]
    assert build(tmp_path, records).meta.node_counts["ip"] == 1
