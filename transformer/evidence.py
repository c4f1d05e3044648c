"""What a request adds to the graph for itself: unseen names, and edges that the resolver just saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int64

from contract.feature_schema import (
    DOMAIN_NODE,
    IP_NODE,
    LEXICAL_FEATURES,
    NAMESERVER_NODE,
    NODE_FEATURES,
    RELATION_IDS,
    RELATIONS,
)
from contract.name_octets import octets_of, text_of
from transformer.answers import Answer
from transformer.domain_name import DomainName
from transformer.graph_store import UNKNOWN, PassiveDnsGraph
from transformer.graph_store.adjacency import REVERSE, log_degrees
from transformer.lexical import lexical_features
from transformer.walk import CAPS, Steps

_RELATION_AND_TYPE: Final = {
    "A": (RELATION_IDS["resolves"], IP_NODE),
    "AAAA": (RELATION_IDS["resolves"], IP_NODE),
    "NS": (RELATION_IDS["nameserver"], NAMESERVER_NODE),
    "CNAME": (RELATION_IDS["alias"], DOMAIN_NODE),
}
_CAPS: Final = {RELATION_IDS[relation]: cap for relation, cap in CAPS["target"].items()}


@dataclass(frozen=True, slots=True)
class Target:
    """A name to score, and the records that came with it."""

    domain: DomainName
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class FreshNodes:
    """Nodes of this request only; node ids go on where the graph's end.

    name: octets or an address; domain: None for hosts.
    """

    node_type: Int64[np.ndarray, " fresh"]
    name: tuple[bytes, ...]
    domain: tuple[DomainName | None, ...]
    features: Float32[np.ndarray, "fresh features"]

    def label_of(self, place: int) -> bytes:
        """What a person calls a node: the text of its name, or its address."""
        name = self.name[place]
        return name if self.node_type[place] == IP_NODE else text_of(name).encode()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the walk starts, what it may step on beside the graph, and what that does to the targets.

    new_degrees: edges of each target, by relation, that the graph does not hold.
    """

    target_nodes: Int64[np.ndarray, " graphs"]
    steps: Steps
    fresh: FreshNodes
    new_degrees: Int64[np.ndarray, "graphs relations"]


@dataclass(slots=True)
class _Link:
    """An edge from a target to a node; the node is UNKNOWN until it was found in the graph or numbered.

    rank: its place among the target's links of this relation.
    """

    graph: int
    relation: int
    node_type: int = DOMAIN_NODE
    name: bytes = b""
    domain: DomainName | None = None
    node: int = UNKNOWN
    rank: int = 0


def gather_evidence(graph: PassiveDnsGraph, targets: Sequence[Target]) -> Evidence:
    """Look the targets and their answers up, and number what the graph does not know."""
    nodes = graph.find(DOMAIN_NODE, [target.domain.octets for target in targets])
    links = _not_held(graph, nodes, _found(graph, _answer_links(targets)))
    unseen = np.flatnonzero(nodes == UNKNOWN).tolist()
    links += _apex_links(graph, targets, unseen) + _similar_links(graph, targets, unseen)
    return _number(graph, targets, nodes, unseen, _capped(links))


def _answer_links(targets: Sequence[Target]) -> list[_Link]:
    links = {}
    for place, target in enumerate(targets):
        for answer in target.answers:
            relation, node_type = _RELATION_AND_TYPE[answer.kind]
            name = answer.address.encode() if answer.name is None else answer.name.octets
            # Nameservers are known by name alone; only domains carry features of their own.
            domain = answer.name if node_type == DOMAIN_NODE else None
            links[place, relation, name] = _Link(place, relation, node_type, name, domain)
    return list(links.values())


def _found(graph: PassiveDnsGraph, links: list[_Link]) -> list[_Link]:
    for node_type in {link.node_type for link in links}:
        alike = [link for link in links if link.node_type == node_type]
        found = graph.find(node_type, [link.name for link in alike]).tolist()
        for link, node in zip(alike, found, strict=True):
            link.node = node
    return links


def _not_held(
    graph: PassiveDnsGraph, targets: Int64[np.ndarray, " graphs"], links: list[_Link]
) -> list[_Link]:
    known = [link for link in links if link.node != UNKNOWN and targets[link.graph] != UNKNOWN]
    if not known:
        return links
    held = graph.has_edges(
        targets[[link.graph for link in known]],
        np.array([link.relation for link in known]),
        np.array([link.node for link in known]),
    )
    # By identity: two links may say the same of different targets.
    dropped = {id(link) for link, is_held in zip(known, held, strict=True) if is_held}
    return [link for link in links if id(link) not in dropped]


def _apex_links(graph: PassiveDnsGraph, targets: Sequence[Target], unseen: list[int]) -> list[_Link]:
    below = [place for place in unseen if _is_below_another(targets[place].domain)]
    names = [octets_of(targets[place].domain.registered_domain) for place in below]
    found = graph.find(DOMAIN_NODE, names).tolist()
    return [
        _Link(place, RELATION_IDS["apex"], node=node)
        for place, node in zip(below, found, strict=True)
        if node != UNKNOWN
    ]


def _is_below_another(domain: DomainName) -> bool:
    return domain.registered_domain not in ("", domain.name)


def _similar_links(graph: PassiveDnsGraph, targets: Sequence[Target], unseen: list[int]) -> list[_Link]:
    relation = RELATION_IDS["similar"]
    registered = [
        place for place in unseen if targets[place].domain.registered_domain == targets[place].domain.name
    ]
    labels = [targets[place].domain.registrable_label for place in registered]
    counts, found = graph.find_similar(labels, _CAPS[relation])
    places = np.repeat(np.array(registered, np.int64), counts).tolist()
    return [_Link(place, relation, node=node) for place, node in zip(places, found.tolist(), strict=True)]


def _capped(links: list[_Link]) -> list[_Link]:
    taken: Counter[tuple[int, int]] = Counter()
    for link in links:
        link.rank = taken[link.graph, link.relation]
        taken[link.graph, link.relation] += 1
    return [link for link in links if link.rank < _CAPS[link.relation]]


def _number(
    graph: PassiveDnsGraph,
    targets: Sequence[Target],
    nodes: Int64[np.ndarray, " graphs"],
    unseen: list[int],
    links: list[_Link],
) -> Evidence:
    nodes[unseen] = graph.node_count + np.arange(len(unseen))
    leaves = [link for link in links if link.node == UNKNOWN]
    for node, leaf in enumerate(leaves, graph.node_count + len(unseen)):
        leaf.node = node
    graphs, relations, ids, ranks = _columns(links)
    degrees = np.bincount(graphs * len(RELATIONS) + relations, minlength=len(targets) * len(RELATIONS))
    new_degrees = degrees.reshape(len(targets), len(RELATIONS))
    fresh = _fresh_nodes([targets[place].domain for place in unseen], new_degrees[unseen], leaves)
    return Evidence(nodes, Steps(graphs, graphs, relations, ids, ranks), fresh, new_degrees)


def _columns(links: list[_Link]) -> Int64[np.ndarray, "4 links"]:
    rows = [(link.graph, link.relation, link.node, link.rank) for link in links]
    return np.array(rows, np.int64).reshape(-1, 4).T.copy()


def _fresh_nodes(
    unseen: list[DomainName], degrees: Int64[np.ndarray, "unseen relations"], leaves: list[_Link]
) -> FreshNodes:
    domains = [*unseen, *(leaf.domain for leaf in leaves)]
    features = np.zeros((len(domains), len(NODE_FEATURES)), np.float32)
    named = [place for place, domain in enumerate(domains) if domain is not None]
    if named:
        known_names = [domain for domain in domains if domain is not None]
        features[named, : len(LEXICAL_FEATURES)] = lexical_features(known_names)
    # A leaf has the one edge that brought it here.
    leaf_degrees = np.zeros((len(leaves), len(RELATIONS)), np.int64)
    leaf_degrees[np.arange(len(leaves)), REVERSE[np.array([leaf.relation for leaf in leaves], np.int64)]] = 1
    features[:, len(LEXICAL_FEATURES) :] = log_degrees(np.concatenate([degrees, leaf_degrees]))
    types = [DOMAIN_NODE] * len(unseen) + [leaf.node_type for leaf in leaves]
    names = [*(domain.octets for domain in unseen), *(leaf.name for leaf in leaves)]
    return FreshNodes(np.array(types, np.int64), tuple(names), tuple(domains), features)
