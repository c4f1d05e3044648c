"""Take parts away from one domain's ego-graph: many perturbed graphs at once, as pure functions of arrays.

An absent neighbour loses its edge to the target, and what is then cut off is left out. An absent trait is
replaced by that of another name. Nothing here knows a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from contract.feature_schema import LEXICAL_FEATURES, NODE_FEATURES, RELATION_IDS, RELATIONS, reverse_of
from contract.graphs import DomainGraphs
from contract.ragged import offsets_of, take_ragged
from explainer.name_text import Parts, target_parts, written
from explainer.traits import TEXTS, TRAIT_OF_FEATURE, TRAIT_OF_TEXT, TRAITS

_REVERSE = np.array([RELATION_IDS[reverse_of(relation)] for relation in RELATIONS])
_LEXICAL = len(LEXICAL_FEATURES)
# The source of a trait that is not taken from another name.
OWN = -1


@dataclass(frozen=True)
class NameSet:
    """Names that may lend their traits: lexical features and the parts of the text, one row each."""

    features: Float32[np.ndarray, "names lexical"]
    parts: tuple[Parts, ...]

    def __getitem__(self, row: int) -> NameSet:
        return NameSet(self.features[row : row + 1], self.parts[row : row + 1])

    def shares(self, others: NameSet, trait: int) -> Bool[np.ndarray, " others"]:
        """Which of the others have the same trait as the one name of this set."""
        columns = np.flatnonzero(trait == TRAIT_OF_FEATURE)
        same: Bool[np.ndarray, " others"] = (others.features[:, columns] == self.features[0, columns]).all(
            axis=1
        )
        text = TRAITS[trait].text
        if text:
            part = TEXTS.index(text)
            same &= np.array([parts[part] == self.parts[0][part] for parts in others.parts], bool)
        return same

    @classmethod
    def of_targets(cls, graphs: DomainGraphs) -> NameSet:
        """The target names of a batch."""
        features = graphs.node_features[graphs.target_nodes, :_LEXICAL]
        return cls(features, tuple(target_parts(graphs, graph) for graph in range(graphs.graph_count)))


@dataclass(frozen=True)
class EgoGraph:
    """One domain's graph, and the links of its target: what may be taken away.

    Shapes (L links, N nodes):
        link_relations  int64 (L,)   as seen from the target
        link_nodes      int64 (L,)   the neighbour at the other end
    """

    graph: DomainGraphs
    link_relations: Int64[np.ndarray, " links"]
    link_nodes: Int64[np.ndarray, " links"]
    link_of_edge: Int64[np.ndarray, " edges"]

    @classmethod
    def of(cls, graph: DomainGraphs) -> EgoGraph:
        """Find the links of a single graph; an edge and its reverse are one link."""
        target = graph.target_nodes[0]
        source, other = graph.edge_index
        leaves, arrives = source == target, other == target
        relation = np.where(leaves, graph.edge_type, _REVERSE[graph.edge_type])
        neighbour = np.where(leaves, other, source)
        keys = np.where(leaves != arrives, relation * graph.node_count + neighbour, -1)
        unique, link_of_edge = np.unique(keys, return_inverse=True)
        touching = unique[unique >= 0]
        relations, nodes = np.divmod(touching, graph.node_count)
        return cls(graph, relations, nodes, link_of_edge - (len(unique) - len(touching)))

    @property
    def link_count(self) -> int:
        """How many neighbours there are by each relation, added up."""
        return len(self.link_nodes)

    @cached_property
    def own(self) -> NameSet:
        """The explained name, as a set of one."""
        return NameSet.of_targets(self.graph)

    @cached_property
    def _reached_by_link(self) -> Bool[np.ndarray, "links nodes"]:
        """The nodes that hang on each link once the target itself is no bridge."""
        nodes = self.graph.node_count
        joined = np.eye(nodes, dtype=bool)
        beside = self.link_of_edge < 0
        joined[self.graph.edge_index[0, beside], self.graph.edge_index[1, beside]] = True
        for _ in range(max(nodes - 1, 1).bit_length()):
            joined = joined @ joined
        return joined[self.link_nodes]

    def perturbed(
        self,
        lenders: NameSet,
        sources: Int64[np.ndarray, "rows traits"],
        kept: Bool[np.ndarray, "rows links"],
    ) -> DomainGraphs:
        """One graph a row.

        Args:
            lenders: names whose traits stand in for the target's.
            sources: of each trait, the row of `lenders` that it comes from, or OWN.
            kept: which links are there.
        """
        nodes = self._kept_nodes(kept)
        node = np.nonzero(nodes)[1]
        node_offsets = offsets_of(nodes.sum(axis=1))
        place = np.cumsum(nodes.ravel()).reshape(nodes.shape) - 1
        edges = self._kept_edges(nodes, kept)
        row_of_edge, edge = np.nonzero(edges)
        is_target = node == self.graph.target_nodes[0]
        features = self.graph.node_features[node]
        features[is_target] = self._target_features(lenders, sources, kept)
        names = self._names(node, is_target, self._texts(lenders, sources))
        return DomainGraphs(
            node_features=features,
            node_type=self.graph.node_type[node],
            name_bytes=names.name_bytes,
            name_offsets=names.offsets,
            name_parts=names.parts,
            edge_index=place[row_of_edge, self.graph.edge_index[:, edge]],
            edge_type=self.graph.edge_type[edge],
            node_offsets=node_offsets,
            edge_offsets=offsets_of(edges.sum(axis=1)),
            target_nodes=np.flatnonzero(is_target),
        )

    def _kept_nodes(self, kept: Bool[np.ndarray, "rows links"]) -> Bool[np.ndarray, "rows nodes"]:
        nodes: Bool[np.ndarray, "rows nodes"] = kept @ self._reached_by_link
        nodes[:, self.graph.target_nodes[0]] = True
        return nodes

    def _kept_edges(
        self, nodes: Bool[np.ndarray, "rows nodes"], kept: Bool[np.ndarray, "rows links"]
    ) -> Bool[np.ndarray, "rows edges"]:
        ends = nodes[:, self.graph.edge_index[0]] & nodes[:, self.graph.edge_index[1]]
        linked = self.link_of_edge >= 0
        ends[:, linked] &= kept[:, self.link_of_edge[linked]]
        return ends

    def _target_features(
        self,
        lenders: NameSet,
        sources: Int64[np.ndarray, "rows traits"],
        kept: Bool[np.ndarray, "rows links"],
    ) -> Float32[np.ndarray, "rows features"]:
        own = self.graph.node_features[self.graph.target_nodes[0]]
        features = np.empty((len(sources), len(NODE_FEATURES)), np.float32)
        # OWN is the last row.
        table = np.concatenate([lenders.features, self.own.features])
        features[:, :_LEXICAL] = table[sources[:, TRAIT_OF_FEATURE], np.arange(_LEXICAL)]
        # The links shown stand for all of their relation, of which a store may hold more.
        relation = np.eye(len(RELATIONS))[self.link_relations]
        shown, left = relation.sum(axis=0), kept @ relation
        degrees = np.log1p(np.expm1(own[_LEXICAL:]) * left / np.maximum(shown, 1))
        features[:, _LEXICAL:] = np.where(left == shown, own[_LEXICAL:], degrees)
        return features

    def _texts(
        self, lenders: NameSet, sources: Int64[np.ndarray, "rows traits"]
    ) -> list[tuple[bytes, int, int]]:
        parts = (*lenders.parts, *self.own.parts)
        chosen = map(tuple, sources[:, list(TRAIT_OF_TEXT)].tolist())
        made: dict[tuple[int, ...], tuple[bytes, int, int]] = {}
        texts = []
        for choice in chosen:
            if choice not in made:
                subdomain, label, suffix = (
                    parts[row][text] for text, row in zip(range(len(TEXTS)), choice, strict=True)
                )
                made[choice] = written((subdomain, label, suffix))
            texts.append(made[choice])
        return texts

    def _names(
        self,
        node: Int64[np.ndarray, " nodes"],
        is_target: Bool[np.ndarray, " nodes"],
        texts: list[tuple[bytes, int, int]],
    ) -> _Names:
        starts = self.graph.name_offsets[node]
        lengths = self.graph.name_offsets[node + 1] - starts
        parts = self.graph.name_parts[node]
        target_length = np.array([len(name) for name, _, _ in texts])
        # The lent names stand behind the graph's own in one blob to take from.
        blob = np.concatenate(
            [self.graph.name_bytes, np.frombuffer(b"".join(name for name, _, _ in texts), np.uint8)]
        )
        starts[is_target] = len(self.graph.name_bytes) + offsets_of(target_length)[:-1]
        lengths[is_target] = target_length
        parts[is_target] = [bounds for _, *bounds in texts]
        return _Names(take_ragged(blob, starts, lengths), offsets_of(lengths), parts)


@dataclass(frozen=True, slots=True)
class _Names:
    name_bytes: UInt8[np.ndarray, " bytes"]
    offsets: Int64[np.ndarray, " nodes_and_one"]
    parts: Int64[np.ndarray, "nodes 2"]
