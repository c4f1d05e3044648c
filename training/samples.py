"""Samples to fit and to judge by: ego-graphs with their labels, and what a model says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from contract.graphs import DomainGraphs, union
from predictor.log_odds import risk_logit
from predictor.model import MODEL_INPUTS, RiskGnn
from predictor.scorer import host_tensors
from training.batches import take


@dataclass(frozen=True, slots=True)
class Pool:
    """Samples to draw from, one entry per graph.

    Fields:
        category  index into CATEGORIES, or data.ANY_MALICE where only malice is known
        weight    how much a row counts
    """

    graphs: DomainGraphs
    category: np.ndarray
    weight: np.ndarray

    def batch(self, rows: np.ndarray) -> tuple[DomainGraphs, Tensor, Tensor]:
        """The graphs, categories and weights of some rows."""
        return (
            take(self.graphs, rows),
            torch.from_numpy(self.category[rows]),
            torch.from_numpy(self.weight[rows].astype(np.float32)),
        )


def risk_logits(model: RiskGnn, graphs: DomainGraphs, chunk: int = 2048) -> Float[np.ndarray, " graphs"]:
    """Uncalibrated log-odds of every graph."""
    model.eval()
    parts = []
    with torch.inference_mode():
        for first in range(0, graphs.graph_count, chunk):
            rows = np.arange(first, min(first + chunk, graphs.graph_count))
            tensors = host_tensors(take(graphs, rows))
            parts.append(risk_logit(model(**{name: tensors[name] for name in MODEL_INPUTS})).numpy())
    return np.concatenate(parts)


def joined(pools: list[Pool]) -> Pool:
    """Several pools as one."""
    return Pool(
        union([pool.graphs for pool in pools]),
        np.concatenate([pool.category for pool in pools]),
        np.concatenate([pool.weight for pool in pools]),
    )
