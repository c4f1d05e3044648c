"""What neighbours may do to a score at most, whatever they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.graphs import DomainGraphs
from predictor.architecture import EVIDENCE_MAY_ADD, EVIDENCE_MAY_TAKE, Architecture
from predictor.checkpoint import load
from predictor.fast_forward import FastForward
from predictor.model import RiskGnn
from predictor.scorer import Scorer, Scores, choose_device, host_tensors
from tests.checkpoints import random_model
from tests.graphs import random_graphs

SHIPPED, CONFIG = load(Path(__file__).resolve().parents[2] / "models/dns-risk/2")
MODELS = [SHIPPED.eval(), *(random_model(seed) for seed in range(3))]
Drawn = tuple[int, int, int, float]
ROUNDING = 2e-6


def logit(risk: np.ndarray | float) -> np.ndarray:
    """Log-odds, in double precision."""
    single = np.asarray(risk, np.float64)
    return np.asarray(np.log(single) - np.log1p(-single))


def moved(risk: np.ndarray, by: float) -> np.ndarray:
    """The risk whose log-odds are so much higher.

    >>> moved(np.array([0.5, 1.0]), 2.0).round(3).tolist()
    [0.881, 1.0]
    """
    odds, other = risk.astype(np.float64) * np.exp(by), 1 - risk.astype(np.float64)
    return np.asarray(odds / (odds + other))


def scored(model: RiskGnn, graphs: DomainGraphs) -> Scores:
    return Scorer(model, choose_device("cpu")).launch([graphs]).result()


def without_edges(graphs: DomainGraphs) -> DomainGraphs:
    """The same names, seen with nobody."""
    return replace(
        graphs,
        edge_index=graphs.edge_index[:, :0],
        edge_type=graphs.edge_type[:0],
        edge_offsets=np.zeros_like(graphs.edge_offsets),
    )


def crowded(seed: int, nodes: int, edges: int, scale: float) -> DomainGraphs:
    """Random neighbourhoods, of features as far out as the scale."""
    graphs = random_graphs(np.random.default_rng(seed), 4, nodes=nodes, edges=edges)
    neighbours = np.ones(graphs.node_count, bool)
    neighbours[graphs.target_nodes] = False
    features = graphs.node_features.copy()
    features[neighbours] *= np.float32(scale)
    return replace(graphs, node_features=features)


neighbourhoods = st.tuples(
    st.integers(0, 2**32 - 1),
    st.integers(1, 64),
    st.integers(0, 300),
    st.sampled_from([0.0, 1.0, 10.0, 1e6, -1e3]),
)


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(MODELS), neighbourhoods)
def test_no_neighbourhood_passes_the_bounds(model: RiskGnn, drawn: Drawn) -> None:
    """Whatever is beside a name, its log-odds stay within so much of what the name alone says."""
    scores = scored(model, crowded(*drawn))
    assert (scores.risk_score <= moved(scores.name_score, EVIDENCE_MAY_ADD) + ROUNDING).all()
    assert (scores.risk_score >= moved(scores.name_score, -EVIDENCE_MAY_TAKE) - ROUNDING).all()


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(MODELS), neighbourhoods)
def test_the_score_of_the_name_alone_is_that_of_a_lone_name(model: RiskGnn, drawn: Drawn) -> None:
    """It is what the same name scores that is seen with nobody; there both scores are one."""
    graphs = crowded(*drawn)
    lone = scored(model, without_edges(graphs))
    np.testing.assert_allclose(scored(model, graphs).name_score, lone.risk_score, atol=2e-6)
    np.testing.assert_allclose(lone.name_score, lone.risk_score, atol=2e-6)


def test_bounds_are_reached() -> None:
    """A strong neighbourhood moves a name as far as it may, and no further, on both ways to compute it."""
    model = random_model(architecture=Architecture(evidence_may_add=0.25, evidence_may_take=0.125))
    model.evidence.leave.weight.data *= 100
    graphs = random_graphs(np.random.default_rng(1), 200, nodes=8, edges=30)
    scores = FastForward(model).scores(graphs)
    np.testing.assert_allclose(scores, model.scores(host_tensors(graphs)).numpy(), atol=2e-6)
    by = logit(1 - scores[:, 0]) - logit(scores[:, -1])
    assert (by.min(), by.max()) == (pytest.approx(-0.125, abs=1e-4), pytest.approx(0.25, abs=1e-4))


def test_the_shipped_thresholds_are_out_of_reach() -> None:
    """A good name is not lifted to monitor, and a name that alone is blocked is not lowered below it."""
    points = CONFIG.operating_points
    assert logit(0.3) + EVIDENCE_MAY_ADD < logit(points.monitor)
    assert logit(points.block) - EVIDENCE_MAY_TAKE > logit(points.monitor)
    assert CONFIG.architecture.evidence_may_add == EVIDENCE_MAY_ADD
    assert CONFIG.architecture.evidence_may_take == EVIDENCE_MAY_TAKE
