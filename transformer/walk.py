"""Walk outwards from many targets at once: from a frontier of nodes to their capped neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from jaxtyping import Int64

from contract.feature_schema import RELATION_IDS, RELATIONS
from contract.ragged import offsets_of, ragged_ranges
from transformer.graph_store import PassiveDnsGraph

# How a step "arrived" at a target, beside the relations by which steps arrive at other nodes.
TARGET: Final = len(RELATIONS)

# arrival -> relation to follow -> most neighbours to take. Hop 1 starts at the target, hop 2 goes on
# according to how hop 1 arrived: names beside the target on its addresses, nameservers and registered
# domain, and the addresses of names it points to or looks like.
CAPS: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "target": {
            "resolves": 8,
            "nameserver": 4,
            "alias": 4,
            "alias_rev": 4,
            "apex": 1,
            "apex_rev": 6,
            "similar": 4,
        },
        "resolves": {"resolves_rev": 8},
        "nameserver": {"nameserver_rev": 4},
        "apex": {"resolves": 4, "nameserver": 2, "apex_rev": 6},
        "alias": {"resolves": 4},
        "alias_rev": {"resolves": 4},
        "similar": {"resolves": 4},
    }
)


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of a walk; targets are its first steps, with no parent.

    graph     the target's place in the batch
    parent    the step that this one went on from
    relation  from the parent's node to this node, or TARGET
    node      where the step led
    rank      its place among the neighbours taken by the same relation from the same node
    """

    graph: Int64[np.ndarray, " steps"]
    parent: Int64[np.ndarray, " steps"]
    relation: Int64[np.ndarray, " steps"]
    node: Int64[np.ndarray, " steps"]
    rank: Int64[np.ndarray, " steps"]

    def __len__(self) -> int:
        return len(self.node)

    @classmethod
    def at_targets(cls, nodes: Int64[np.ndarray, " graphs"]) -> Steps:
        """One step for each target."""
        graph = np.arange(len(nodes))
        return cls(graph, graph, np.full(len(nodes), TARGET), nodes, np.zeros(len(nodes), np.int64))


def concatenate(parts: list[Steps]) -> Steps:
    """All steps of several parts, in order."""
    return Steps(
        np.concatenate([part.graph for part in parts]),
        np.concatenate([part.parent for part in parts]),
        np.concatenate([part.relation for part in parts]),
        np.concatenate([part.node for part in parts]),
        np.concatenate([part.rank for part in parts]),
    )


def _rules() -> tuple[Int64[np.ndarray, " _"], Int64[np.ndarray, " rules"], Int64[np.ndarray, " rules"]]:
    by_arrival = [CAPS.get(arrival, {}) for arrival in (*RELATIONS, "target")]
    flat = [(RELATION_IDS[relation], cap) for rules in by_arrival for relation, cap in rules.items()]
    relations, caps = np.array(flat).T.copy()
    return offsets_of(np.array([len(rules) for rules in by_arrival])), relations, caps


_RULE_OFFSETS, _RULE_RELATION, _RULE_CAP = _rules()
_RULE_COUNTS: Final = np.diff(_RULE_OFFSETS)


def expand(graph: PassiveDnsGraph, frontier: Steps, frontier_start: int) -> Steps:
    """Every step that goes on from a frontier by the rules of CAPS, in the frontier's order.

    Args:
        graph: nodes beyond its node_count are unknown to it and lead nowhere.
        frontier: the steps to go on from.
        frontier_start: place of the frontier's first step in the whole walk.
    """
    rule_counts = _RULE_COUNTS[frontier.relation]
    rule_counts[frontier.node >= graph.node_count] = 0
    rules = ragged_ranges(_RULE_OFFSETS[frontier.relation], rule_counts)
    parents = np.repeat(np.arange(len(frontier)), rule_counts)
    counts, neighbours = graph.neighbours(frontier.node[parents], _RULE_RELATION[rules], _RULE_CAP[rules])
    step_parents = np.repeat(parents, counts)
    return Steps(
        graph=frontier.graph[step_parents],
        parent=step_parents + frontier_start,
        relation=np.repeat(_RULE_RELATION[rules], counts),
        node=neighbours,
        rank=ragged_ranges(np.zeros_like(counts), counts),
    )
