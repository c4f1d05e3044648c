"""A snapshot for a person to read: its counts, and one node's neighbours."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from contract.feature_schema import DOMAIN_NODE, IP_NODE, NAMESERVER_NODE, NODE_TYPES, RELATIONS
from transformer.domain_name import parse_domain
from transformer.graph_store.adjacency import RELATION_COUNT
from transformer.graph_store.passive_dns_graph import UNKNOWN
from transformer.graph_store.snapshot import Snapshot
from transformer.graph_store.snapshot_meta import SnapshotMeta

NAMESERVER_PREFIX: Final = "ns:"
# Neighbours listed by relation; the rest is only counted.
SHOWN_NEIGHBOURS: Final = 20


def describe_snapshot(meta: SnapshotMeta) -> Iterator[str]:
    """What the snapshot holds and where it came from, in lines."""
    yield f"snapshot {meta.snapshot_id}, {_day(int(meta.created))}"
    yield f"feature schema {meta.feature_schema}, suffix list {meta.suffix_list_version or '-'}"
    yield "nodes: " + ", ".join(f"{meta.node_counts[kind]:,} {kind}" for kind in NODE_TYPES)
    forward = [relation for relation in RELATIONS if not relation.endswith("_rev")]
    # Only "similar" is kept in both directions under one name.
    counts = [meta.edge_counts[name] // (2 if name == "similar" else 1) for name in forward]
    yield "edges: " + ", ".join(f"{count:,} {name}" for count, name in zip(counts, forward, strict=True))
    for source in meta.sources:
        yield f"from {source.name} (sha256 {source.sha256[:16]})"


def find_node(snapshot: Snapshot, text: str) -> int:
    """The node that a person means: a domain, an address, or `ns:` and a nameserver's name.

    Raises:
        NotADomainName: the text is none of the three.
    """
    try:
        address = str(ipaddress.ip_address(text))
    except ValueError:
        node_type = NAMESERVER_NODE if text.startswith(NAMESERVER_PREFIX) else DOMAIN_NODE
        name = parse_domain(text.removeprefix(NAMESERVER_PREFIX)).octets
        return int(snapshot.find(node_type, [name])[0])
    return int(snapshot.find(IP_NODE, [address.encode()])[0])


def describe_node(snapshot: Snapshot, node: int) -> Iterator[str]:
    """A node's neighbours by relation, with when and how often each was seen, in lines."""
    if node == UNKNOWN:
        yield "not in this snapshot"
        return
    yield snapshot.name_of(node)
    for number, relation in enumerate(RELATIONS):
        row = node * RELATION_COUNT + number
        start, end = snapshot.arrays.indptr[row : row + 2].tolist()
        if end > start:
            yield f"{relation}: {end - start:,}"
        for place in range(start, min(end, start + SHOWN_NEIGHBOURS)):
            yield f"  {_describe_edge(snapshot, place)}"


def _describe_edge(snapshot: Snapshot, place: int) -> str:
    arrays = snapshot.arrays
    name = snapshot.name_of(int(arrays.neighbours[place]))
    if not arrays.counts[place]:
        return name
    first, last = int(arrays.first_seen[place]), int(arrays.last_seen[place])
    return f"{name}  {_day(first)} to {_day(last)}, {int(arrays.counts[place]):,} times"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
