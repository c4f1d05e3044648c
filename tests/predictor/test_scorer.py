from __future__ import annotations

import numpy as np
import pytest
import torch

from contract.graphs import DomainGraphs, split, union
from predictor.scorer import Scorer, choose_device, host_tensors
from tests.checkpoints import random_model
from tests.graphs import random_graphs

GRAPHS = random_graphs(np.random.default_rng(31), 30)
CPU = torch.device("cpu")


def test_risk_is_what_is_not_benign() -> None:
    """Risk and categories tell the same, in single precision."""
    scores = Scorer(random_model(), CPU).launch([GRAPHS]).result()
    assert (scores.category_scores.shape, scores.risk_score.shape) == ((30, 4), (30,))
    assert scores.category_scores.dtype == scores.risk_score.dtype == np.float32
    np.testing.assert_array_equal(scores.risk_score, 1 - scores.category_scores[:, 0])


def test_a_batch_of_requests_scores_as_their_union() -> None:
    """Requests are joined in their order, and a slice of the scores belongs to each."""
    scorer = Scorer(random_model(), CPU)
    together = scorer.launch([GRAPHS]).result()
    joined = scorer.launch(split(GRAPHS, [4, 1, 25])).result()
    np.testing.assert_array_equal(joined.category_scores, together.category_scores)
    np.testing.assert_array_equal(joined[4:5].risk_score, together.risk_score[4:5])


def test_read_only_requests_are_scored() -> None:
    """Arrays that are views of a request are read-only; torch gets copies of those and memory of the others."""
    frozen = {name: array.copy() for name, array in GRAPHS.tensors().items()}
    for array in frozen.values():
        array.setflags(write=False)
    graphs = DomainGraphs(**frozen)
    scores = Scorer(random_model(), CPU).launch([graphs]).result()
    np.testing.assert_array_equal(
        scores.risk_score, Scorer(random_model(), CPU).launch([GRAPHS]).result().risk_score
    )
    shared = host_tensors(union(split(GRAPHS, [15, 15])))["node_features"]
    assert shared.numpy().base is not None


def test_a_model_that_gives_no_number_fails() -> None:
    """NaN is greater than no threshold: a broken model would allow everything."""
    model = random_model()
    with torch.no_grad():
        next(model.parameters()).fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="not all numbers"):
        Scorer(model, CPU).launch([GRAPHS]).result()


def test_the_cpu_computes_while_it_launches() -> None:
    """One batch at a time on CPU; `auto` takes CUDA only where there is one."""
    assert Scorer(random_model(), CPU).pipeline_depth == 1
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == CPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_scores_as_the_cpu_does() -> None:
    """The same graphs score the same on both devices, also with two batches under way."""
    expected = Scorer(random_model(), CPU).launch([GRAPHS]).result()
    scorer = Scorer(random_model(), torch.device("cuda"))
    assert scorer.pipeline_depth == 2
    tickets = [scorer.launch([GRAPHS]) for _ in range(2)]
    for ticket in tickets:
        np.testing.assert_allclose(ticket.result().category_scores, expected.category_scores, atol=1e-4)
