"""The baseline is the same model: what it scores is what the predictor scores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inference_services.processes import free_ports
from tests.graphs import random_graphs
from tests.predictor.graph_requests import Client, request_for, rest_scores
from tests.serving.server_process import ServerProcess

GRAPHS = request_for(random_graphs(np.random.default_rng(8), 16, 12, 20))


@pytest.fixture(scope="module")
def plain(model_dir: Path) -> Iterator[Client]:
    """Connections to a plain KServe predictor of the checkpoint that `risk_predictor` serves."""
    rest, grpc = free_ports(2)
    flags = [
        f"--model_dir={model_dir}",
        "--model_name=dns-risk",
        f"--http_port={rest}",
        f"--grpc_port={grpc}",
    ]
    process = ServerProcess(["load_tests.baselines.kserve_plain", *flags], ports=(rest, grpc))
    try:
        process.wait_until_ready()
        client = Client(process)
        yield client
        client.close()
    finally:
        process.stop()


def test_grpc_scores_are_ours(plain: Client, risk_predictor: ServerProcess) -> None:
    """Raw tensors over gRPC get the same scores from both."""
    ours = Client(risk_predictor)
    theirs, own = plain.grpc(GRAPHS.message()), ours.grpc(GRAPHS.message())
    ours.close()
    assert (theirs.code, own.code) == ("OK", "OK")
    np.testing.assert_allclose(theirs.category_scores, own.category_scores, rtol=0, atol=1e-5)
    np.testing.assert_allclose(theirs.risk_score, own.risk_score, rtol=0, atol=1e-5)


@pytest.mark.parametrize("form", ["json", "binary"])
def test_rest_scores_are_ours(plain: Client, risk_predictor: ServerProcess, form: str) -> None:
    """So do tensors in JSON and in binary over REST."""
    body, headers = json.dumps(GRAPHS.document()).encode(), {"content-type": "application/json"}
    if form == "binary":
        body, headers = GRAPHS.binary()
    ours = Client(risk_predictor)
    (status, theirs), (_, own) = plain.rest(body, headers), ours.rest(body, headers)
    ours.close()
    assert status == 200, theirs
    for name, scores in rest_scores(own).items():
        np.testing.assert_allclose(rest_scores(theirs)[name], scores, rtol=0, atol=1e-5)
