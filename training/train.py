"""Train one model version: choose on validation rows, then fit the shipped weights on all of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import expit

from contract.feature_schema import FEATURE_SCHEMA
from predictor import checkpoint
from predictor.architecture import Architecture
from predictor.checkpoint import ModelConfig, OperatingPoints
from predictor.model import RiskGnn
from training.batches import take
from training.calibration import operating_points, platt
from training.data import (
    GRAPH_EDGES,
    GRAPH_NODES,
    TRAIN_NAMES,
    UNLABELLED,
    LabelledGraph,
    LabelledNames,
    read_graph,
    read_names,
    sha256,
)
from training.descent import Watch
from training.figures import expected_calibration_error, figures
from training.fit import Pool, fit_evidence, fit_lexical, joined, lexical_steps, risk_logits
from training.pools import decoy_pool, extra_pool, graph_pool, name_pool
from training.recipe import Recipe
from training.splits import validation_rows
from transformer.domain_name import SUFFIX_LIST_VERSION

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Samples:
    """Everything that is fitted or chosen by.

    Fields:
        validation  true for rows of `names` that are fitted only once the choice is made
        strong      true for rows of the headline figures
    """

    labels: LabelledNames
    names: Pool
    rows: np.ndarray
    validation: np.ndarray
    strong: np.ndarray
    graph: Pool
    graph_split: np.ndarray


@dataclass(frozen=True, slots=True)
class Chosen:
    """What validation decides: calibration of lone names and of names with evidence, thresholds, figures."""

    calibration: Float[np.ndarray, "two two"]
    points: OperatingPoints
    metrics: dict[str, float]


def train(data: Path, output: Path, version: str, recipe: Recipe) -> ModelConfig:
    """Train a version from the files of `data` and write it to `output`.

    Raises:
        UnusableData: a file is missing or not of its documented format.
    """
    # Sums in one order on every machine, so that the same files give the same weights.
    torch.set_num_threads(1)
    samples = read_samples(data, recipe)
    logger.info("choosing on %d validation names", int(samples.validation.sum()))
    explored, steps = explore(samples, recipe)
    chosen = choose(explored, samples)
    logger.info("validation: %s; now fitting on all names for %s", chosen.metrics, steps)
    model = fit(samples, steps, recipe)
    model.calibration.copy_(torch.from_numpy(chosen.calibration.astype(np.float32)))
    config = ModelConfig(
        version=version,
        feature_schema=FEATURE_SCHEMA,
        weights_sha256="",
        architecture=Architecture(),
        operating_points=chosen.points,
        suffix_list=SUFFIX_LIST_VERSION,
        trained_on={name: sha256(data / name) for name in (TRAIN_NAMES, GRAPH_NODES, GRAPH_EDGES)},
        training={**recipe.as_dict(), "lexical_steps": steps.lexical, "best_evidence_steps": steps.evidence},
        metrics=chosen.metrics,
    )
    return checkpoint.save(output, model, config)


def read_samples(data: Path, recipe: Recipe) -> Samples:
    """Read the training files and make their features."""
    labels = read_names(data / TRAIN_NAMES)
    graph = read_graph(data / GRAPH_NODES, data / GRAPH_EDGES)
    names, rows = name_pool(labels, recipe)
    graphs, graph_rows = graph_pool(graph)
    return Samples(
        labels,
        names,
        rows,
        validation_rows(labels)[rows],
        labels.strong[rows],
        graphs,
        _split(graph, graph_rows),
    )


def _split(graph: LabelledGraph, rows: np.ndarray) -> np.ndarray:
    return np.where(graph.label[rows] == UNLABELLED, "hidden", graph.split[rows])


@dataclass(frozen=True, slots=True)
class Steps:
    """How long each path is fitted."""

    lexical: int
    evidence: int


def explore(samples: Samples, recipe: Recipe) -> tuple[RiskGnn, Steps]:
    """A model fitted without the validation rows, stopped early by them, and when it stopped."""
    model, pool, rows, decoys = _prepare(samples, ~samples.validation, recipe)
    watched = samples.validation & samples.strong
    malicious = samples.names.category[watched] != 0
    held_out = take(samples.names.graphs, np.flatnonzero(watched))
    epoch = len(rows) // recipe.lexical_batch
    lexical_watch = Watch(
        lambda: figures(malicious, risk_logits(model, held_out)).auc, lexical_steps(len(rows), recipe), epoch
    )
    lexical = fit_lexical(model, pool, rows, recipe, lexical_watch)
    linked = samples.graph_split == "val"
    linked_malicious = samples.graph.category[linked] != 0
    linked_graphs = take(samples.graph.graphs, np.flatnonzero(linked))
    evidence_watch = Watch(
        lambda: figures(linked_malicious, risk_logits(model, linked_graphs)).auc,
        recipe.evidence_steps,
        100,
        6,
    )
    train_rows = np.flatnonzero(samples.graph_split == "train")
    evidence = fit_evidence(model, samples.graph, train_rows, decoys, recipe, evidence_watch)
    return model, Steps(lexical, evidence)


def fit(samples: Samples, steps: Steps, recipe: Recipe) -> RiskGnn:
    """A model fitted on all names, and on the training part of the graph, for a number of steps.

    The lexical path takes as many epochs as were best, so more steps on more rows.
    """
    everything = np.ones(len(samples.rows), bool)
    model, pool, rows, decoys = _prepare(samples, everything, recipe)
    scale = len(samples.rows) / (~samples.validation).sum()
    lexical = min(int(steps.lexical * scale), lexical_steps(len(rows), recipe))
    fit_lexical(model, pool, rows, recipe, Watch(None, lexical))
    train_rows = np.flatnonzero(samples.graph_split == "train")
    fit_evidence(model, samples.graph, train_rows, decoys, recipe, Watch(None, steps.evidence))
    return model


def _prepare(samples: Samples, fitted: np.ndarray, recipe: Recipe) -> tuple[RiskGnn, Pool, np.ndarray, Pool]:
    torch.manual_seed(recipe.seed)
    model = RiskGnn(Architecture())
    extra = extra_pool(samples.labels, samples.rows[fitted], recipe)
    pool = joined([samples.names, extra])
    rows = np.concatenate([np.flatnonzero(fitted), len(fitted) + np.arange(len(extra.category))])
    return model, pool, rows, decoy_pool(samples.labels, samples.rows[fitted], recipe)


def choose(model: RiskGnn, samples: Samples) -> Chosen:
    """Calibrate on validation rows, and take the operating points there."""
    names = samples.validation & samples.strong
    lone = risk_logits(model, samples.names.graphs)[names]
    malicious = samples.names.category[names] != 0
    # As in training, weights make both classes count the same: 50 % is not the natural rate, but stated.
    scale, shift = platt(malicious, lone, _balance(malicious))
    held_out = samples.graph_split == "val"
    linked = risk_logits(model, samples.graph.graphs)[held_out]
    linked_malicious = samples.graph.category[held_out] != 0
    linked_scale, linked_shift = platt(linked_malicious, linked, _balance(linked_malicious))
    risk = expit(scale * lone + shift)
    return Chosen(
        np.array([[scale, shift], [linked_scale, linked_shift]]),
        operating_points(malicious, risk),
        _metrics(malicious, risk, linked_malicious, linked),
    )


def _metrics(
    malicious: np.ndarray, risk: np.ndarray, linked_malicious: np.ndarray, linked: np.ndarray
) -> dict[str, float]:
    of_names, of_graph = figures(malicious, risk), figures(linked_malicious, linked)
    return {
        "validation_names_auc": of_names.auc,
        "validation_names_tpr_at_fpr_1pct": of_names.tpr_at_fpr_1pct,
        "validation_names_tpr_at_fpr_01pct": of_names.tpr_at_fpr_01pct,
        "validation_names_calibration_error": expected_calibration_error(malicious, risk),
        "validation_graph_auc": of_graph.auc,
    }


def _balance(malicious: np.ndarray) -> np.ndarray:
    share = malicious.mean()
    return np.where(malicious, 0.5 / share, 0.5 / (1 - share))
