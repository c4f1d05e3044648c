"""The two stages of fitting: the lexical path on names, then the evidence path on graphs beside decoys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from contract.graphs import DomainGraphs, union
from predictor.model import MODEL_INPUTS, RiskGnn, risk_logit
from predictor.scorer import host_tensors
from training.batches import forget_evidence, shuffled, take
from training.descent import Descent, Watch, descend
from training.recipe import Recipe

# How much telling kinds of malice apart counts beside telling malice from benign.
CATEGORY_WEIGHT = 0.3


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


def loss_of(
    logits: Float[Tensor, "rows categories"], category: Int64[Tensor, " rows"], weight: Float[Tensor, " rows"]
) -> Float[Tensor, ""]:
    """Binary cross-entropy of the risk, plus cross-entropy of the kind where it is known."""
    malicious = (category != 0).float()
    binary = functional.binary_cross_entropy_with_logits(risk_logit(logits), malicious, reduction="none")
    known_kind = (category > 0).float()
    kind = functional.cross_entropy(logits[:, 1:], (category - 1).clamp(min=0), reduction="none")
    return ((binary + CATEGORY_WEIGHT * known_kind * kind) * weight).sum() / weight.sum()


def fit_lexical(model: RiskGnn, pool: Pool, rows: np.ndarray, recipe: Recipe, watch: Watch) -> int:
    """Fit the lexical path on lone names; the result is the number of steps that was best."""
    path = model.lexical.train()
    table = [path.names.table.weight]
    others = [weight for name, weight in path.named_parameters() if name != "names.table.weight"]
    groups = [{"params": table, "weight_decay": 0.0}, {"params": others, "weight_decay": recipe.weight_decay}]
    batches = shuffled(rows, recipe.lexical_batch, np.random.default_rng(recipe.seed))

    def loss() -> Tensor:
        graphs, category, weight = pool.batch(next(batches))
        tensors = host_tensors(graphs)
        logits = _lexical_logits(model, tensors, recipe.ngram_keep)
        return loss_of(logits, category, weight)

    total = lexical_steps(len(rows), recipe)
    descent = Descent(path, groups, loss, recipe.lexical_rate, recipe.lexical_average, total, "lexical path")
    return descend(descent, watch)


def lexical_steps(rows: int, recipe: Recipe) -> int:
    """The most steps that the lexical path is fitted for."""
    return int(rows / recipe.lexical_batch * recipe.lexical_epochs)


def fit_evidence(
    model: RiskGnn, graphs: Pool, rows: np.ndarray, decoys: Pool, recipe: Recipe, watch: Watch
) -> int:
    """Fit the evidence path on graph rows, with the lexical path as it is; gives the best number of steps.

    Two rules keep it honest, since rows with a graph come from another collection than the names:
    neighbourhoods that say nothing must not shift a score, and a telling neighbourhood must tell the same
    of any name that stands in it.
    """
    model.lexical.requires_grad_(requires_grad=False).eval()
    path = model.evidence.train()
    rng = np.random.default_rng(recipe.seed)
    groups = [{"params": list(path.parameters()), "weight_decay": recipe.evidence_decay}]
    real = shuffled(rows, recipe.evidence_batch, rng)
    mute = shuffled(np.arange(decoys.graphs.graph_count), recipe.evidence_batch, rng)

    def loss() -> Tensor:
        return _evidence_loss(model, graphs.batch(next(real)), decoys.batch(next(mute))[0], recipe, rng)

    rate, average = recipe.evidence_rate, recipe.evidence_average
    descent = Descent(path, groups, loss, rate, average, recipe.evidence_steps, "evidence path")
    return descend(descent, watch)


def _evidence_loss(
    model: RiskGnn,
    real: tuple[DomainGraphs, Tensor, Tensor],
    decoys: DomainGraphs,
    recipe: Recipe,
    rng: np.random.Generator,
) -> Tensor:
    graphs, category, weight = real
    share = np.where(rng.random(graphs.graph_count) < recipe.edge_drop_rows, recipe.edge_drop, 0.0)
    tensors = host_tensors(forget_evidence(graphs, rng, share))
    with torch.no_grad():
        alone = _lexical_logits(model, tensors)
    said, edges = _said(model, tensors)
    malicious = (category != 0).float()
    shift, aside = model.evidence(said, *edges)
    own = shift + (1.0 - aside) * risk_logit(alone)
    fitted = (functional.binary_cross_entropy_with_logits(own, malicious, reduction="none") * weight).mean()
    mute_tensors = host_tensors(decoys)
    with torch.no_grad():
        mute_alone = risk_logit(_lexical_logits(model, mute_tensors))
    mute_said, mute_edges = _said(model, mute_tensors)
    mute_shift, mute_aside = model.evidence(mute_said, *mute_edges)
    # Bounded, so that a few names do not decide.
    moved = (mute_shift - mute_aside * mute_alone).square().clamp(max=25.0).mean()
    grafted = said.clone()
    spelling = len(model.evidence.columns)
    # Other names in the targets' places: their spelling, with the degrees of the place.
    grafted[edges[2], :spelling] = mute_said[mute_edges[2][: len(category)], :spelling]
    told = functional.binary_cross_entropy_with_logits(
        model.evidence(grafted, *edges)[0], malicious, reduction="none"
    )
    return fitted + recipe.decoy_weight * moved + recipe.graft_weight * (told * weight).mean()


def _lexical_logits(model: RiskGnn, tensors: dict[str, Tensor], ngram_keep: float = 1.0) -> Tensor:
    return model.target_logits(
        tensors["node_features"],
        tensors["name_bytes"],
        tensors["name_offsets"],
        tensors["name_parts"],
        tensors["target_nodes"],
        ngram_keep,
    )


def _said(model: RiskGnn, tensors: dict[str, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    said = model.evidence.said(tensors["node_features"], tensors["node_type"])
    return said, (tensors["edge_index"], tensors["edge_type"], tensors["target_nodes"])


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
