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
from transformer.graph_store.adjacency import log_degrees
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
    """Domains of this request only; node ids go on where the graph's end.

    name: octets of a name that the graph does not hold.
    """

    name: tuple[bytes, ...]
    domain: tuple[DomainName, ...]
    features: Float32[np.ndarray, "fresh features"]

    def label_of(self, place: int) -> bytes:
        """What a person calls a node: the text of its name."""
        return text_of(self.name[place]).encode()


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
    """An edge from a target to a node; the node is UNKNOWN until it was found in the graph.

    rank: its place among the target's links of this relation.
    """

    graph: int
    relation: int
    node_type: int = DOMAIN_NODE
    name: bytes = b""
    node: int = UNKNOWN
    rank: int = 0


def gather_evidence(graph: PassiveDnsGraph, targets: Sequence[Target]) -> Evidence:
    """Look the targets and their answers up, and number the targets that the graph does not know.

    Of answers count those that lead to what the graph knows: where nobody else was seen tells nothing of a
    name, and its owner may make up as many such records as he likes.
    """
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
            links[place, relation, name] = _Link(place, relation, node_type, name)
    return list(links.values())


def _found(graph: PassiveDnsGraph, links: list[_Link]) -> list[_Link]:
    for node_type in {link.node_type for link in links}:
        alike = [link for link in links if link.node_type == node_type]
        found = graph.find(node_type, [link.name for link in alike]).tolist()
        for link, node in zip(alike, found, strict=True):
            link.node = node
    return [link for link in links if link.node != UNKNOWN]


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
    graphs, relations, ids, ranks = _columns(links)
    degrees = np.bincount(graphs * len(RELATIONS) + relations, minlength=len(targets) * len(RELATIONS))
    new_degrees = degrees.reshape(len(targets), len(RELATIONS))
    fresh = _fresh_nodes([targets[place].domain for place in unseen], new_degrees[unseen])
    return Evidence(nodes, Steps(graphs, graphs, relations, ids, ranks), fresh, new_degrees)


def _columns(links: list[_Link]) -> Int64[np.ndarray, "4 links"]:
    rows = [(link.graph, link.relation, link.node, link.rank) for link in links]
    return np.array(rows, np.int64).reshape(-1, 4).T.copy()


def _fresh_nodes(unseen: list[DomainName], degrees: Int64[np.ndarray, "unseen relations"]) -> FreshNodes:
    features = np.zeros((len(unseen), len(NODE_FEATURES)), np.float32)
    if unseen:
        features[:, : len(LEXICAL_FEATURES)] = lexical_features(unseen)
    features[:, len(LEXICAL_FEATURES) :] = log_degrees(degrees)
    return FreshNodes(tuple(domain.octets for domain in unseen), tuple(unseen), features)
