"""Fit the lexical path on lone names."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from predictor.log_odds import risk_logit
from predictor.model import RiskGnn
from predictor.scorer import host_tensors
from training.batches import Batches
from training.descent import Descent, Run, Watch, descend
from training.recipe import Recipe
from training.samples import Pool

# How much telling kinds of malice apart counts beside telling malice from benign.
CATEGORY_WEIGHT = 0.3


def row_losses(
    logits: Float[Tensor, "rows categories"], category: Int64[Tensor, " rows"]
) -> Float[Tensor, " rows"]:
    """Binary cross-entropy of the risk, plus cross-entropy of the kind where it is known."""
    malicious = (category != 0).float()
    binary = functional.binary_cross_entropy_with_logits(risk_logit(logits), malicious, reduction="none")
    known_kind = (category > 0).float()
    kind = functional.cross_entropy(logits[:, 1:], (category - 1).clamp(min=0), reduction="none")
    return binary + CATEGORY_WEIGHT * known_kind * kind


def fit_lexical(
    model: RiskGnn, pool: Pool, rows: np.ndarray, recipe: Recipe, watch: Watch, run: Run | None = None
) -> int:
    """Fit the lexical path on lone names; the result is the number of steps that was best."""
    run = run or Run()
    path = model.lexical.train()
    table = [path.names.table.weight]
    others = [weight for name, weight in path.named_parameters() if name != "names.table.weight"]
    batches = Batches(rows, recipe.lexical_batch, recipe.seed)

    def loss(step: int) -> Tensor:
        batch = batches.at(step)
        graphs, category, weight = pool.batch(run.peers.share(batch))
        logits = lexical_logits(model, host_tensors(graphs), recipe.ngram_keep)
        return (row_losses(logits, category) * weight).sum() / float(pool.weight[batch].sum())

    descent = Descent(
        module=path,
        groups=[
            {"params": table, "weight_decay": 0.0},
            {"params": others, "weight_decay": recipe.weight_decay},
        ],
        loss=loss,
        rate=recipe.lexical_rate,
        average=recipe.lexical_average,
        schedule_steps=lexical_steps(len(rows), recipe),
        what="lexical path",
        seed=recipe.seed,
        checkpoint=run.checkpoint("lexical"),
        peers=run.peers,
    )
    return descend(descent, watch)


def lexical_steps(rows: int, recipe: Recipe) -> int:
    """The most steps that the lexical path is fitted for."""
    return int(rows / recipe.lexical_batch * recipe.lexical_epochs)


def lexical_logits(model: RiskGnn, tensors: dict[str, Tensor], ngram_keep: float = 1.0) -> Tensor:
    """Logits of the targets of a batch by their names alone."""
    return model.target_logits(
        tensors["node_features"],
        tensors["name_bytes"],
        tensors["name_offsets"],
        tensors["name_parts"],
        tensors["target_nodes"],
        ngram_keep,
    )
