"""Fit the evidence path on ego-graphs, beside decoys that say nothing."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor
from torch.nn import functional

from contract.graphs import DomainGraphs
from predictor.log_odds import risk_logit
from predictor.model import RiskGnn
from predictor.scorer import host_tensors
from training.batches import Batches, forget_evidence
from training.descent import Descent, Run, Watch, descend
from training.lexical_fit import lexical_logits
from training.recipe import Recipe
from training.samples import Pool


def fit_evidence(
    model: RiskGnn,
    graphs: Pool,
    rows: np.ndarray,
    decoys: Pool,
    recipe: Recipe,
    watch: Watch,
    run: Run | None = None,
) -> int:
    """Fit the evidence path on graph rows, with the lexical path as it is; gives the best number of steps.

    Two rules keep it honest, since rows with a graph come from another collection than the names:
    neighbourhoods that say nothing must not shift a score, and a telling neighbourhood must tell the same
    of any name that stands in it.
    """
    run = run or Run()
    model.lexical.requires_grad_(requires_grad=False).eval()
    path = model.evidence.train()
    real = Batches(rows, recipe.evidence_batch, recipe.seed)
    mute = Batches(np.arange(decoys.graphs.graph_count), recipe.evidence_batch, recipe.seed + 1)

    def loss(step: int) -> Tensor:
        rng = np.random.default_rng((recipe.seed, step))
        batch = real.at(step)
        alone = rng.random(len(batch)) < recipe.edge_drop_rows
        silent = at_least(mute.at(step), len(batch))
        egos, category, weight = graphs.batch(run.peers.share(batch))
        share = np.where(run.peers.share(alone), recipe.edge_drop, 0.0)
        told = (forget_evidence(egos, rng, share), category, weight)
        decoy = decoys.batch(run.peers.share(silent))[0]
        return _evidence_loss(model, told, decoy, (len(batch), len(silent)), recipe)

    descent = Descent(
        module=path,
        groups=[{"params": list(path.parameters()), "weight_decay": recipe.evidence_decay}],
        loss=loss,
        rate=recipe.evidence_rate,
        average=recipe.evidence_average,
        schedule_steps=recipe.evidence_steps,
        what="evidence path",
        seed=recipe.seed,
        checkpoint=run.checkpoint("evidence"),
        peers=run.peers,
    )
    return descend(descent, watch)


def at_least(rows: Int64[np.ndarray, " rows"], count: int) -> Int64[np.ndarray, " longer"]:
    """The rows, from the first again if there are fewer than `count`: each row of a batch needs a partner.

    >>> at_least(np.array([4, 9]), 3).tolist(), at_least(np.array([4, 9]), 1).tolist()
    ([4, 9, 4], [4, 9])
    """
    return rows if len(rows) >= count else np.resize(rows, count)


def _evidence_loss(
    model: RiskGnn,
    real: tuple[DomainGraphs, Tensor, Tensor],
    decoys: DomainGraphs,
    counts: tuple[int, int],
    recipe: Recipe,
) -> Tensor:
    """This process's part of the mean over all of its peers' rows and decoys, whose `counts` are given."""
    graphs, category, weight = real
    rows, silent = counts
    tensors = host_tensors(graphs)
    with torch.no_grad():
        alone = lexical_logits(model, tensors)
    said, edges = _said(model, tensors)
    malicious = (category != 0).float()
    shift, aside = model.evidence(said, *edges)
    own = shift + (1.0 - aside) * risk_logit(alone)
    fitted = (functional.binary_cross_entropy_with_logits(own, malicious, reduction="none") * weight).sum()
    mute_tensors = host_tensors(decoys)
    with torch.no_grad():
        mute_alone = risk_logit(lexical_logits(model, mute_tensors))
    mute_said, mute_edges = _said(model, mute_tensors)
    mute_shift, mute_aside = model.evidence(mute_said, *mute_edges)
    # Bounded, so that a few names do not decide.
    moved = (mute_shift - mute_aside * mute_alone).square().clamp(max=25.0).sum()
    grafted = said.clone()
    spelling = len(model.evidence.columns)
    # Other names in the targets' places: their spelling, with the degrees of the place.
    grafted[edges[2], :spelling] = mute_said[mute_edges[2][: len(category)], :spelling]
    told = functional.binary_cross_entropy_with_logits(
        model.evidence(grafted, *edges)[0], malicious, reduction="none"
    )
    grafts = recipe.graft_weight * (told * weight).sum()
    return (fitted + grafts) / rows + recipe.decoy_weight * moved / silent


def _said(model: RiskGnn, tensors: dict[str, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    said = model.evidence.said(tensors["node_features"], tensors["node_type"])
    return said, (tensors["edge_index"], tensors["edge_type"], tensors["target_nodes"])
