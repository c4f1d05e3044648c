from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.graphs import DomainGraphs, split
from predictor.checkpoint import load
from predictor.fast_forward import FastForward
from predictor.model import RiskGnn
from predictor.scorer import host_tensors
from tests.checkpoints import random_model
from tests.graphs import random_graphs

SHIPPED = Path(__file__).resolve().parents[2] / "models/dns-risk/2"
MODELS = [random_model(seed) for seed in range(3)]


def assert_same(model: RiskGnn, graphs: DomainGraphs) -> None:
    """Both forwards give the same scores, up to the order of sums in single precision."""
    expected = model.scores(host_tensors(graphs)).numpy()
    scores = FastForward(model).scores(graphs)
    np.testing.assert_allclose(scores, expected, atol=2e-6)
    assert scores.dtype == np.float32


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(MODELS), st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_it_is_the_model(model: RiskGnn, seed: int, count: int) -> None:
    """Whatever the graphs: loops, repeated edges, nodes that nobody hears, targets without edges."""
    assert_same(model, random_graphs(np.random.default_rng(seed), count))


@pytest.mark.parametrize("edges", [0, 1, 200])
def test_graphs_without_edges_and_crowded_ones(edges: int) -> None:
    """A batch of lone names, of names with one neighbour, and of graphs with many parallel edges."""
    assert_same(MODELS[0], random_graphs(np.random.default_rng(edges), 5, nodes=4, edges=edges))


def test_it_is_the_shipped_model() -> None:
    """The weights that are shipped, on a large batch."""
    model, _ = load(SHIPPED)
    assert_same(model.eval(), random_graphs(np.random.default_rng(3), 300))


def test_a_graph_scores_the_same_in_any_company() -> None:
    """Joining requests changes no score beyond the order of sums."""
    graphs = random_graphs(np.random.default_rng(4), 40)
    forward = FastForward(MODELS[1])
    together = forward.scores(graphs)
    alone = np.concatenate([forward.scores(one) for one in split(graphs, [1] * 40)])
    np.testing.assert_allclose(together, alone, atol=2e-6)
