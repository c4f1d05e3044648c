"""Fit one model: choose how long on validation rows, then fit the shipped weights on all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from predictor.architecture import Architecture
from predictor.model import RiskGnn
from training.batches import take
from training.descent import Run, Watch
from training.evidence_fit import fit_evidence
from training.figures import figures
from training.lexical_fit import fit_lexical, lexical_steps
from training.recipe import Recipe
from training.samples import Pool, joined, risk_logits
from training.steps.featurize import Beside, Samples

logger = logging.getLogger(__name__)

# Looks at the evidence path's validation figure: how often, and how many without gain end it.
EVIDENCE_LOOKS_EVERY = 100
EVIDENCE_PATIENCE = 6


@dataclass(frozen=True, slots=True)
class Steps:
    """How many steps each path is fitted for."""

    lexical: int
    evidence: int


def explore(samples: Samples, beside: Beside, recipe: Recipe, run: Run) -> tuple[RiskGnn, Steps]:
    """A model fitted without the validation rows, stopped early by them, and when it stopped."""
    model, pool, rows = _prepare(samples, samples.fitted, beside, recipe)
    epoch = len(rows) // recipe.lexical_batch
    lexical = fit_lexical(
        model,
        pool,
        rows,
        recipe,
        Watch(
            _auc(model, samples.names, samples.validation & samples.strong),
            lexical_steps(len(rows), recipe),
            epoch,
        ),
        run,
    )
    logger.info("lexical path: best after %d steps", lexical)
    linked = _auc(model, samples.graph, samples.graph_split == "val")
    watch = Watch(linked, recipe.evidence_steps, EVIDENCE_LOOKS_EVERY, EVIDENCE_PATIENCE)
    train_rows = np.flatnonzero(samples.graph_split == "train")
    evidence = fit_evidence(model, samples.graph, train_rows, beside.decoys, recipe, watch, run)
    return model, Steps(lexical, evidence)


def _auc(model: RiskGnn, pool: Pool, judged: np.ndarray) -> Callable[[], float]:
    graphs, malicious = take(pool.graphs, np.flatnonzero(judged)), pool.category[judged] != 0
    return lambda: figures(malicious, risk_logits(model, graphs)).auc


def fit(samples: Samples, beside: Beside, steps: Steps, recipe: Recipe, run: Run) -> RiskGnn:
    """A model fitted on all names, and on the training part of the graph, for a number of steps.

    The lexical path takes as many epochs as were best, so more steps on more rows.
    """
    everything = np.ones(len(samples.fitted), bool)
    model, pool, rows = _prepare(samples, everything, beside, recipe)
    scale = len(samples.fitted) / samples.fitted.sum()
    lexical = min(int(steps.lexical * scale), lexical_steps(len(rows), recipe))
    fit_lexical(model, pool, rows, recipe, Watch(None, lexical), run)
    train_rows = np.flatnonzero(samples.graph_split == "train")
    evidence = Watch(None, steps.evidence)
    fit_evidence(model, samples.graph, train_rows, beside.decoys, recipe, evidence, run)
    return model


def _prepare(
    samples: Samples, fitted: np.ndarray, beside: Beside, recipe: Recipe
) -> tuple[RiskGnn, Pool, np.ndarray]:
    torch.manual_seed(recipe.seed)
    model = RiskGnn(Architecture(), recipe.lexical_dropout, recipe.evidence_dropout)
    pool = joined([samples.names, beside.extra])
    rows = np.concatenate([np.flatnonzero(fitted), len(fitted) + np.arange(len(beside.extra.category))])
    return model, pool, rows
