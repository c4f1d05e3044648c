"""The risk model: what a name says by itself, and what its neighbourhood adds to that.

The lexical path reads the target's name and features. The evidence path passes messages over the typed
relations of the ego-graph, starting from a few features of every node, and shifts the target's log-odds of
malice. A lone name hears nothing and keeps its lexical score, so one model serves both.
"""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional

from contract.feature_schema import DOMAIN_NODE, GRAPH_FEATURES, NODE_FEATURES, RELATIONS
from contract.ngrams import NgramLayout
from contract.tensors import CATEGORIES
from predictor.architecture import Architecture
from predictor.log_odds import risk_logit, shifted
from predictor.messages import RelationalLayer
from predictor.ngrams import hashed_ngrams, names_of

# Largest value of a column of the evidence path; log1p(20) is 3.
FAR: Final = 3.0
# Before it has learned anything, evidence takes 5 % off the log-odds of the name: sigmoid(-3).
SET_LITTLE_ASIDE: Final = -3.0

# What of a batch the model reads; offsets of graphs and edges are for those who cut batches apart.
MODEL_INPUTS: Final = (
    "node_features",
    "node_type",
    "name_bytes",
    "name_offsets",
    "name_parts",
    "edge_index",
    "edge_type",
    "target_nodes",
)


class NameEncoder(nn.Module):
    """Sums embeddings of a name's hashed n-grams; equal n-grams of other parts of a name differ."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.layout = NgramLayout(architecture.ngram_sizes, architecture.ngram_buckets)
        self.table = nn.EmbeddingBag(architecture.ngram_buckets, architecture.ngram_width, mode="sum")
        nn.init.normal_(self.table.weight, std=0.02)

    def forward(
        self,
        name_bytes: UInt8[Tensor, " bytes"],
        name_offsets: Int64[Tensor, " nodes_and_one"],
        name_parts: Int64[Tensor, "nodes 2"],
        keep: float = 1.0,
    ) -> Float[Tensor, "nodes width"]:
        """Encode every node's name; nodes without a name get zeros.

        Args:
            name_bytes: the names end to end.
            name_offsets: where each begins.
            name_parts: where in it the registrable label and the public suffix begin.
            keep: in training, the share of n-grams that stays; the others are not even looked up.
        """
        ids, offsets = hashed_ngrams(name_bytes, name_offsets, name_parts, self.layout)
        if keep < 1.0:
            kept = torch.rand(ids.shape, device=ids.device) < keep
            ids, offsets = ids[kept], functional.pad(kept.cumsum(0), (1, 0))[offsets]
        # Long names have more n-grams, whose sum grows like a random walk; `keep` so that dropping some
        # does not shrink it.
        length = (offsets.diff() * keep).clamp(min=1.0)
        return self.table(ids, offsets[:-1]) / length.sqrt()[:, None]


class LexicalPath(nn.Module):
    """Logits of a name by its n-grams and lexical features alone."""

    def __init__(self, architecture: Architecture, dropout: float = 0.1) -> None:
        super().__init__()
        width = architecture.lexical_width
        self.names = NameEncoder(architecture)
        self.features = nn.Linear(architecture.features - len(GRAPH_FEATURES), width)
        self.join = nn.Linear(architecture.ngram_width + width, width)
        self.deepen = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Sequential(
            nn.Linear(2 * width, width), nn.GELU(), self.dropout, nn.Linear(width, len(CATEGORIES))
        )

    def forward(
        self,
        named: Float[Tensor, "names ngram_width"],
        lexical_features: Float[Tensor, "names lexical"],
    ) -> Float[Tensor, "names categories"]:
        """Logits of every name."""
        featured = functional.gelu(self.features(lexical_features))
        joined = self.dropout(functional.gelu(self.join(torch.cat([named, featured], dim=1))))
        deep = joined + functional.gelu(self.deepen(joined))
        return self.head(torch.cat([joined, deep], dim=1))


class EvidencePath(nn.Module):
    """By how much the neighbourhood moves the target's log-odds of malice.

    It may shift them, and it may set aside some of what the name alone says: names in a telling
    neighbourhood are often odd without being bad, or plain without being good.
    """

    group_of_relation: Tensor
    columns: Tensor

    def __init__(self, architecture: Architecture, dropout: float = 0.1) -> None:
        super().__init__()
        width = architecture.evidence_width
        groups = sorted(set(architecture.relation_groups.values()))
        indices = [groups.index(architecture.relation_groups[relation]) for relation in RELATIONS]
        self.register_buffer("group_of_relation", torch.tensor(indices), persistent=False)
        columns = [NODE_FEATURES.index(name) for name in architecture.evidence_features]
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        self.groups = len(groups)
        self.enter = nn.Linear(len(columns) + len(groups) + 1, width)
        self.layers = nn.ModuleList(
            RelationalLayer(width, len(groups)) for _ in range(architecture.evidence_layers)
        )
        self.dropout = nn.Dropout(dropout)
        self.leave = nn.Linear(2 * width, 2)
        nn.init.zeros_(self.leave.weight)
        self.leave.bias = nn.Parameter(torch.tensor([0.0, SET_LITTLE_ASIDE]))

    def said(
        self, node_features: Float[Tensor, "nodes features"], node_type: Int64[Tensor, " nodes"]
    ) -> Float[Tensor, "nodes columns"]:
        """What every node tells its neighbours before it has heard any.

        Columns: the chosen features, log-degrees by relation group, whether it is a domain. By group, since
        a weight that was never trained would be noise: a name server counts as an address does.
        """
        degrees = torch.expm1(node_features[:, -len(GRAPH_FEATURES) :])
        by_group = degrees.new_zeros(len(degrees), self.groups)
        by_group.index_add_(1, self.group_of_relation, degrees)
        is_domain = (node_type == DOMAIN_NODE).to(node_features.dtype)[:, None]
        # No degree is negative, but features come from other processes.
        log_degrees = by_group.clamp(min=0.0).log1p()
        said = torch.cat([node_features[:, self.columns], log_degrees, is_domain], dim=1)
        # Counts of odd names and of crowded hosts reach far beyond the scale; what is far is far enough.
        return said.clamp(max=FAR)

    def forward(
        self,
        said: Float[Tensor, "nodes columns"],
        edge_index: Int64[Tensor, "2 edges"],
        edge_type: Int64[Tensor, " edges"],
        target_nodes: Int64[Tensor, " graphs"],
    ) -> tuple[Float[Tensor, " graphs"], Float[Tensor, " graphs"]]:
        """Each target's shift, and the share of its own log-odds that is set aside; zero without edges."""
        entered = functional.gelu(self.enter(said))
        state = entered
        edge_group = self.group_of_relation[edge_type]
        for layer in self.layers[:-1]:
            state = layer(self.dropout(state), edge_index, edge_group)
        # Only targets are scored, so only they listen in the last round.
        told = self.layers[-1](state, edge_index, edge_group, target_nodes)
        left = self.leave(self.dropout(torch.cat([entered[target_nodes], told], dim=1)))
        linked = _has_edges(len(said), edge_index, target_nodes)
        return left[:, 0] * linked, torch.sigmoid(left[:, 1]) * linked


def _has_edges(
    nodes: int, edge_index: Int64[Tensor, "2 edges"], target_nodes: Int64[Tensor, " graphs"]
) -> Bool[Tensor, " graphs"]:
    linked = torch.zeros(nodes, dtype=torch.bool, device=edge_index.device)
    linked[edge_index[1]] = True
    return linked[target_nodes]


class RiskGnn(nn.Module):
    """Scores the target node of each ego-graph; dropout is for training alone, and no part of a version."""

    def __init__(
        self, architecture: Architecture, lexical_dropout: float = 0.1, evidence_dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.lexical = LexicalPath(architecture, lexical_dropout)
        self.evidence = EvidencePath(architecture, evidence_dropout)
        self.may_add, self.may_take = architecture.evidence_may_add, architecture.evidence_may_take
        # Platt scaling of the log-odds of malice, for lone names and for names with evidence.
        self.calibration = nn.Parameter(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), requires_grad=False)

    def forward(
        self,
        node_features: Float[Tensor, "nodes features"],
        node_type: Int64[Tensor, " nodes"],
        name_bytes: UInt8[Tensor, " bytes"],
        name_offsets: Int64[Tensor, " nodes_and_one"],
        name_parts: Int64[Tensor, "nodes 2"],
        edge_index: Int64[Tensor, "2 edges"],
        edge_type: Int64[Tensor, " edges"],
        target_nodes: Int64[Tensor, " graphs"],
    ) -> Float[Tensor, "graphs categories"]:
        """Logits of the categories, uncalibrated."""
        alone = self.target_logits(node_features, name_bytes, name_offsets, name_parts, target_nodes)
        said = self.evidence.said(node_features, node_type)
        shift, aside = self.evidence(said, edge_index, edge_type, target_nodes)
        return shifted(alone, shift - aside * risk_logit(alone))

    def target_logits(
        self,
        node_features: Float[Tensor, "nodes features"],
        name_bytes: UInt8[Tensor, " bytes"],
        name_offsets: Int64[Tensor, " nodes_and_one"],
        name_parts: Int64[Tensor, "nodes 2"],
        target_nodes: Int64[Tensor, " graphs"],
        ngram_keep: float = 1.0,
    ) -> Float[Tensor, "graphs categories"]:
        """Logits of the targets by their names alone."""
        own_bytes, own_offsets = names_of(name_bytes, name_offsets, target_nodes)
        named = self.lexical.names(own_bytes, own_offsets, name_parts[target_nodes], ngram_keep)
        return self.lexical(named, node_features[target_nodes, : -len(GRAPH_FEATURES)])

    @torch.inference_mode()
    def scores(self, graphs: dict[str, Tensor]) -> Float[Tensor, "graphs categories_and_one"]:
        """Calibrated probabilities of the categories, and last the risk of each name alone.

        From the tensors of the contract by name. The neighbourhood moves the log-odds of the name alone by
        no more than the architecture's bounds; kinds of malice keep their proportions.
        """
        features, targets, edges = graphs["node_features"], graphs["target_nodes"], graphs["edge_index"]
        names = graphs["name_bytes"], graphs["name_offsets"], graphs["name_parts"]
        logits = self.target_logits(features, *names, targets)
        said = self.evidence.said(features, graphs["node_type"])
        shift, aside = self.evidence(said, edges, graphs["edge_type"], targets)
        own = risk_logit(logits)
        (scale, offset), (scale_linked, offset_linked) = self.calibration
        alone = scale * own + offset
        together = scale_linked * (own + shift - aside * own) + offset_linked
        moved = torch.where(_has_edges(len(said), edges, targets), together - alone, 0.0)
        risk = torch.sigmoid(alone + moved.clamp(-self.may_take, self.may_add))[:, None]
        kinds = logits[:, 1:].softmax(dim=1)
        return torch.cat([1.0 - risk, risk * kinds, torch.sigmoid(alone)[:, None]], dim=1)
