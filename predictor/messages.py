"""One round of typed messages between the nodes of ego-graphs."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import MessagePassing


class RelationalLayer(MessagePassing):  # type: ignore[misc]  # PyG is untyped
    """Each node takes the mean of its neighbours per relation group, then one matrix for all groups.

    The mean over (node, group) is one scatter onto nodes * groups virtual targets, whatever the number
    of relations, after Schlichtkrull et al. 2018 (arXiv 1703.06103) with shared weights per group.
    """

    def __init__(self, width: int, groups: int) -> None:
        super().__init__(aggr="mean")
        self.groups = groups
        self.own = nn.Linear(width, width)
        self.heard = nn.Linear(groups * width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "nodes width"],
        edge_index: Int64[Tensor, "2 edges"],
        edge_group: Int64[Tensor, " edges"],
        listeners: Int64[Tensor, " listeners"] | None = None,
    ) -> Float[Tensor, "listening width"]:
        """One round of messages from row 0 to row 1 of `edge_index`.

        Args:
            x: states of all nodes.
            edge_index: sources and targets of the messages.
            edge_group: weight group of each edge.
            listeners: the distinct nodes to update; all of them by default.
        """
        listening = x
        if listeners is not None:
            edge_index, edge_group = _edges_into(listeners, edge_index, edge_group, len(x))
            listening = x[listeners]
        count, width = listening.shape
        slots = torch.stack([edge_index[0], edge_index[1] * self.groups + edge_group])
        means = self.propagate(slots, x=x, size=(len(x), count * self.groups))
        heard = self.heard(means.view(count, self.groups * width))
        return listening + functional.gelu(self.own(listening) + heard)

    def message(self, x_j: Float[Tensor, "edges width"]) -> Float[Tensor, "edges width"]:
        """A neighbour says what it is."""
        return x_j


def _edges_into(
    listeners: Int64[Tensor, " listeners"],
    edge_index: Int64[Tensor, "2 edges"],
    edge_group: Int64[Tensor, " edges"],
    nodes: int,
) -> tuple[Int64[Tensor, "2 heard"], Int64[Tensor, " heard"]]:
    """The edges that end in a listener, their targets renumbered by position among the listeners."""
    place = torch.full((nodes,), -1, dtype=torch.int64, device=listeners.device)
    place[listeners] = torch.arange(len(listeners), device=listeners.device)
    target = place[edge_index[1]]
    heard = target >= 0
    return torch.stack([edge_index[0, heard], target[heard]]), edge_group[heard]
