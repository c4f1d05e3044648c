"""Training by several processes at once: each takes part of every batch, gradients are summed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Shaped
from torch import distributed, nn


@dataclass(frozen=True, slots=True)
class Peers:
    """The processes that train together, as `torchrun` starts them; by default one alone."""

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes what one must write."""
        return self.rank == 0

    def share(self, rows: Shaped[np.ndarray, " rows"]) -> Shaped[np.ndarray, " share"]:
        """This process's part of a batch that all of them know.

        >>> Peers(1, 2).share(np.arange(5)).tolist()
        [1, 3]
        """
        return rows[self.rank :: self.count]

    def sum_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Add up gradients over the processes; losses are parts of one sum, so this is the whole one's."""
        if self.count == 1:
            return
        for weight in weights:
            if weight.grad is None and weight.requires_grad:
                weight.grad = torch.zeros_like(weight)
            if weight.grad is not None:
                distributed.all_reduce(weight.grad)

    def agreed(self, figure: float) -> float:
        """The first process's figure: what all of them decide by, whatever their rounding."""
        if self.count == 1:
            return figure
        shared = torch.tensor([figure], dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return float(shared[0])


def join_peers() -> Peers:
    """Meet the other processes that `torchrun` started, if it did; on CPU they talk by gloo."""
    if "WORLD_SIZE" not in os.environ:
        return Peers()
    distributed.init_process_group("gloo")
    return Peers(distributed.get_rank(), distributed.get_world_size())


def leave_peers(peers: Peers) -> None:
    """Wait for the others, then close the connections."""
    if peers.count > 1:
        distributed.barrier()
        distributed.destroy_process_group()
