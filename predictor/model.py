"""The risk model: names read as hashed n-grams, neighbourhoods read by typed message passing.

One model scores a name with graph evidence and one without: a lone node simply receives no messages.
"""

from __future__ import annotations

from typing import Annotated, Final

import torch
from jaxtyping import Float, Int64, UInt8
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import MessagePassing

from contract.feature_schema import NODE_FEATURES, NODE_TYPES, RELATIONS
from contract.tensors import CATEGORIES
from predictor.ngrams import NgramLayout, hashed_ngrams

# Relations without labelled training data share the weights of their nearest kin: a name server is a
# place where names meet, as an address is; an alias is another name of the same thing, as an apex is.
RELATION_GROUPS: Final = {
    "resolves": "host",
    "resolves_rev": "hosted",
    "nameserver": "host",
    "nameserver_rev": "hosted",
    "alias": "parent",
    "alias_rev": "child",
    "apex": "parent",
    "apex_rev": "child",
    "similar": "similar",
}


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


class Architecture(BaseModel):
    """Sizes of the model; part of a version's configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: Annotated[int, Field(ge=1)] = len(NODE_FEATURES)
    ngram_sizes: tuple[int, ...] = (1, 2, 3, 4, 5)
    ngram_buckets: Annotated[int, Field(ge=2)] = 1 << 16
    ngram_width: Annotated[int, Field(ge=1)] = 32
    hidden: Annotated[int, Field(ge=1)] = 64
    layers: Annotated[int, Field(ge=1, le=4)] = 2
    relation_groups: dict[str, str] = RELATION_GROUPS


class NameEncoder(nn.Module):
    """Sums embeddings of a name's hashed n-grams; equal n-grams of other parts of a name differ."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.layout = NgramLayout(architecture.ngram_sizes, architecture.ngram_buckets)
        self.table = nn.EmbeddingBag(architecture.ngram_buckets, architecture.ngram_width, mode="sum")

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
            keep: in training, the share of n-grams that is not dropped.
        """
        ids, offsets = hashed_ngrams(name_bytes, name_offsets, name_parts, self.layout)
        weights = None
        if keep < 1.0:
            weights = (torch.rand(ids.shape, device=ids.device) < keep).to(self.table.weight.dtype) / keep
        summed = self.table(ids, offsets[:-1], per_sample_weights=weights)
        # Long names have more n-grams; their sum grows like a random walk.
        return summed / offsets.diff().clamp(min=1).sqrt()[:, None]


class RelationalLayer(MessagePassing):  # type: ignore[misc]  # PyG is untyped
    """Each node takes the mean of its neighbours per relation group, then all of it through one matrix.

    The mean over (node, group) is one scatter onto nodes * groups virtual targets, whatever the number
    of relations, after Schlichtkrull et al. 2018 (arXiv 1703.06103) with shared weights per group.
    """

    def __init__(self, width: int, groups: int) -> None:
        super().__init__(aggr="mean")
        self.groups = groups
        self.update_node = nn.Linear(width * (groups + 1), width)

    def forward(
        self,
        x: Float[Tensor, "nodes width"],
        edge_index: Int64[Tensor, "2 edges"],
        edge_group: Int64[Tensor, " edges"],
    ) -> Float[Tensor, "nodes width"]:
        """One round of messages from row 0 to row 1 of `edge_index`."""
        nodes, width = x.shape
        slots = torch.stack([edge_index[0], edge_index[1] * self.groups + edge_group])
        means = self.propagate(slots, x=x, size=(nodes, nodes * self.groups))
        gathered = torch.cat([x, means.view(nodes, self.groups * width)], dim=1)
        return x + functional.gelu(self.update_node(gathered))

    def message(self, x_j: Float[Tensor, "edges width"]) -> Float[Tensor, "edges width"]:
        """A neighbour says what it is."""
        return x_j


class RiskGnn(nn.Module):
    """Scores the target node of each ego-graph."""

    group_of_relation: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width = architecture.hidden
        groups = sorted(set(architecture.relation_groups.values()))
        indices = [groups.index(architecture.relation_groups[relation]) for relation in RELATIONS]
        self.register_buffer("group_of_relation", torch.tensor(indices), persistent=False)
        self.names = NameEncoder(architecture)
        self.features = nn.Linear(architecture.features + len(NODE_TYPES), width)
        self.join = nn.Linear(architecture.ngram_width + width, width)
        self.layers = nn.ModuleList(RelationalLayer(width, len(groups)) for _ in range(architecture.layers))
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, len(CATEGORIES)))
        self.calibration = nn.Parameter(torch.tensor([1.0, 0.0]), requires_grad=False)
        self.ngram_keep = 1.0

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
        keep = self.ngram_keep if self.training else 1.0
        named = self.names(name_bytes, name_offsets, name_parts, keep)
        kinds = functional.one_hot(node_type, len(NODE_TYPES)).to(node_features.dtype)
        featured = functional.gelu(self.features(torch.cat([node_features, kinds], dim=1)))
        alone = functional.gelu(self.join(torch.cat([named, featured], dim=1)))
        state = alone
        edge_group = self.group_of_relation[edge_type]
        for layer in self.layers:
            state = layer(state, edge_index, edge_group)
        return self.head(torch.cat([alone[target_nodes], state[target_nodes]], dim=1))

    @torch.inference_mode()
    def category_scores(self, graphs: dict[str, Tensor]) -> Float[Tensor, "graphs categories"]:
        """Calibrated probabilities of the categories, from the tensors of the contract by name."""
        logits = self(**{name: graphs[name] for name in MODEL_INPUTS})
        scale, shift = self.calibration
        risk = torch.sigmoid(scale * risk_logit(logits) + shift)[:, None]
        kinds = logits[:, 1:].softmax(dim=1)
        return torch.cat([1.0 - risk, risk * kinds], dim=1)


def risk_logit(logits: Float[Tensor, "graphs categories"]) -> Float[Tensor, " graphs"]:
    """Log-odds of any malicious category against benign, before calibration."""
    return logits[:, 1:].logsumexp(dim=1) - logits[:, 0]
