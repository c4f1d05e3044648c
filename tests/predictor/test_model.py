from __future__ import annotations

import numpy as np
import pytest
import torch

from contract.feature_schema import RELATIONS
from contract.graphs import DomainGraphs, split, union
from predictor.architecture import RELATION_GROUPS
from predictor.log_odds import risk_logit, shifted
from predictor.scorer import host_tensors
from tests.checkpoints import random_model
from tests.graphs import random_graph, random_graphs

MODEL = random_model()
RNG = np.random.default_rng(21)


def _scores(graphs: DomainGraphs) -> np.ndarray:
    return MODEL.scores(host_tensors(graphs)).numpy()


def _linked(nodes: int, edges: int) -> DomainGraphs:
    """A graph whose target hears somebody."""
    graph = random_graph(RNG, nodes, edges)
    graph.edge_index[1, 0] = 0
    return graph


def test_rows_are_probabilities() -> None:
    """Categories are between 0 and 1 and sum to one."""
    scores = _scores(random_graphs(RNG, 50))
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(scores[:, :-1].sum(axis=1), 1, atol=1e-6)


def test_a_graph_scores_the_same_in_any_batch() -> None:
    """Nothing of one graph reaches another."""
    graphs = random_graphs(RNG, 40)
    alone = np.concatenate([_scores(graph) for graph in split(graphs, [1] * 40)])
    np.testing.assert_allclose(_scores(graphs), alone, atol=1e-6)


def test_a_lone_name_is_its_lexical_score() -> None:
    """Without edges the evidence moves nothing, whoever else is in the batch."""
    lone = random_graph(RNG, 1, 0)
    batch = union([lone, *(_linked(6, 12) for _ in range(5))])
    tensors = host_tensors(batch)
    said = MODEL.evidence.said(tensors["node_features"], tensors["node_type"])
    edges = (tensors["edge_index"], tensors["edge_type"], tensors["target_nodes"])
    with torch.inference_mode():
        shift, aside = MODEL.evidence(said, *edges)
        names = ("node_features", "name_bytes", "name_offsets", "name_parts", "target_nodes")
        own = MODEL.target_logits(*(host_tensors(lone)[name] for name in names))
        logits = MODEL(**{name: tensor for name, tensor in tensors.items() if name not in OFFSETS})
    assert (shift[0], aside[0]) == (0, 0)
    assert shift[1:].abs().min() > 0
    torch.testing.assert_close(logits[:1], own, atol=1e-6, rtol=0)


OFFSETS = {"node_offsets", "edge_offsets"}


def _permuted(graph: DomainGraphs, nodes: np.ndarray, edges: np.ndarray) -> DomainGraphs:
    """The same graph with nodes and edges written down in another order."""
    place = np.argsort(nodes)
    lengths = np.diff(graph.name_offsets)
    bounds = [slice(*graph.name_offsets[node : node + 2]) for node in nodes]
    return DomainGraphs(
        node_features=graph.node_features[nodes],
        node_type=graph.node_type[nodes],
        name_bytes=np.concatenate([graph.name_bytes[bound] for bound in bounds]),
        name_offsets=np.concatenate([[0], np.cumsum(lengths[nodes])]),
        name_parts=graph.name_parts[nodes],
        edge_index=place[graph.edge_index][:, edges],
        edge_type=graph.edge_type[edges],
        node_offsets=graph.node_offsets,
        edge_offsets=graph.edge_offsets,
        target_nodes=place[graph.target_nodes],
    )


@pytest.mark.parametrize("seed", range(8))
def test_order_of_nodes_and_edges_means_nothing(seed: int) -> None:
    """A graph scores the same however its nodes and edges are listed."""
    rng = np.random.default_rng(seed)
    graph = _linked(12, 30)
    other = _permuted(graph, rng.permutation(12), rng.permutation(30))
    np.testing.assert_allclose(_scores(graph), _scores(other), atol=1e-5)


def test_evidence_counts() -> None:
    """What a neighbour is, and by which relation, moves the target's score."""
    graph = _linked(5, 8)
    before = _scores(graph)
    features = graph.node_features.copy()
    features[graph.edge_index[0, graph.edge_index[1] == 0]] *= 3
    changed = DomainGraphs(**graph.tensors() | {"node_features": features})
    assert abs(_scores(changed) - before).max() > 1e-4


def test_every_relation_has_a_group() -> None:
    """No relation of the schema is left without weights."""
    assert set(RELATION_GROUPS) == set(RELATIONS)


def test_a_shift_keeps_kinds_of_malice_in_proportion() -> None:
    """Evidence moves the log-odds of malice by exactly its shift, and nothing else."""
    logits, shift = torch.randn(6, 4), torch.randn(6)
    moved = shifted(logits, shift)
    torch.testing.assert_close(risk_logit(moved), risk_logit(logits) + shift)
    torch.testing.assert_close(moved[:, 1:].softmax(1), logits[:, 1:].softmax(1))
