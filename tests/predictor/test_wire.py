"""Good requests to a real predictor, on every path a tensor can take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http

from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS, GRAPH_OUTPUTS, DomainGraphs, split
from contract.tensors import RISK_MODEL, SCHEMA_PARAMETER
from predictor.checkpoint import load
from predictor.scorer import Scorer, Scores
from tests.checkpoints import BLOCK, MONITOR
from tests.graphs import random_graphs
from tests.predictor.graph_requests import INFER, Client, request_for, rest_scores
from tests.services import metric
from tests.serving.server_process import ServerProcess

pytestmark = pytest.mark.every_front

GRAPHS = random_graphs(np.random.default_rng(11), 24)


@pytest.fixture(scope="module")
def expected(model_dir: Path) -> Scores:
    """What the checkpoint says of GRAPHS without any server."""
    model, _ = load(model_dir)
    return Scorer(model, torch.device("cpu")).launch([GRAPHS]).result()


def _declared(specs: Any) -> list[dict[str, object]]:
    return [spec.metadata() for spec in specs]


def test_rest_metadata_is_the_contract(client: Client) -> None:
    """The tensors that REST describes are those of contract.graphs, under the checkpoint's version."""
    metadata = client.http.get(f"/v2/models/{RISK_MODEL}").json()
    assert metadata["inputs"] == _declared(GRAPH_INPUTS)
    assert metadata["outputs"] == _declared(GRAPH_OUTPUTS)
    assert metadata["versions"] == ["test-1"]


def test_grpc_metadata_is_the_contract(server: ServerProcess) -> None:
    """The tensors that gRPC describes are those of contract.graphs too."""
    with triton_grpc.InferenceServerClient(server.grpc_target) as triton:
        metadata = triton.get_model_metadata(RISK_MODEL)
        assert triton.is_model_ready(RISK_MODEL)
    for tensors, specs in ((metadata.inputs, GRAPH_INPUTS), (metadata.outputs, GRAPH_OUTPUTS)):
        told = [(tensor.name, tensor.datatype, tuple(tensor.shape)) for tensor in tensors]
        assert told == [(spec.name, spec.datatype, spec.shape) for spec in specs]
    assert list(metadata.versions) == ["test-1"]


def test_every_path_gives_the_models_scores(client: Client, expected: Scores) -> None:
    """gRPC, binary REST, flat and nested JSON answer what the model says in this process."""
    request = request_for(GRAPHS)
    binary, headers = request.binary()
    answers = [vars(client.grpc(request.message()))]
    nested = request.document()
    for tensor in nested["inputs"]:
        tensor["data"] = request.array(tensor["name"]).tolist()
    documents = [json.dumps(document).encode() for document in (request.document(), nested)]
    for body, more in ((binary, headers), (documents[0], {}), (documents[1], {})):
        status, document = client.rest(body, more)
        assert status == 200, document
        answers.append(rest_scores(document))
    for answer in answers:
        np.testing.assert_allclose(answer["category_scores"], expected.category_scores, atol=1e-5)
        np.testing.assert_allclose(answer["risk_score"], expected.risk_score, atol=1e-5)


def test_scores_tell_the_graphs_apart(expected: Scores) -> None:
    """The random weights of these tests are no constant, so that equality means something."""
    assert np.ptp(expected.risk_score) > 0.05


def test_tritons_http_client_scores(server: ServerProcess, expected: Scores) -> None:
    """tritonclient.http sends and receives binary tensors."""
    inputs = []
    for name, array in GRAPHS.tensors().items():
        spec = next(spec for spec in GRAPH_INPUTS if spec.name == name)
        inputs.append(triton_http.InferInput(name, list(array.shape), spec.datatype))
        inputs[-1].set_data_from_numpy(array)
    with triton_http.InferenceServerClient(f"127.0.0.1:{server.rest_port}") as triton:
        answer = triton.infer(RISK_MODEL, inputs, parameters={SCHEMA_PARAMETER: FEATURE_SCHEMA})
        np.testing.assert_allclose(answer.as_numpy("risk_score"), expected.risk_score, atol=1e-5)


def test_tritons_grpc_client_scores(server: ServerProcess, expected: Scores) -> None:
    """tritonclient.grpc asks for one output by an id and gets that."""
    inputs = []
    for name, array in GRAPHS.tensors().items():
        spec = next(spec for spec in GRAPH_INPUTS if spec.name == name)
        inputs.append(triton_grpc.InferInput(name, list(array.shape), spec.datatype))
        inputs[-1].set_data_from_numpy(array)
    with triton_grpc.InferenceServerClient(server.grpc_target) as triton:
        answer = triton.infer(
            RISK_MODEL,
            inputs,
            outputs=[triton_grpc.InferRequestedOutput("risk_score")],
            request_id="seven",
            parameters={SCHEMA_PARAMETER: FEATURE_SCHEMA},
        )
    assert [output.name for output in answer.get_response().outputs] == ["risk_score"]
    assert answer.get_response().id == "seven"
    np.testing.assert_allclose(answer.as_numpy("risk_score"), expected.risk_score, atol=1e-5)


def test_the_answer_says_which_model_spoke(client: Client) -> None:
    """Version and operating points of the checkpoint travel with every answer, on both protocols."""
    request = request_for(GRAPHS)
    told = client.stub.ModelInfer(request.message()).parameters
    assert told["model_version"].string_param == "test-1"
    assert told["monitor_threshold"].double_param == MONITOR
    assert told["block_threshold"].double_param == BLOCK
    body, headers = request.binary()
    assert client.rest(body, headers)[1]["parameters"] == {
        "model_version": "test-1",
        "monitor_threshold": MONITOR,
        "block_threshold": BLOCK,
    }


def _alone(client: Client, graphs: DomainGraphs) -> np.ndarray:
    return np.concatenate(
        [client.grpc(request_for(one).message()).category_scores for one in split(graphs, [1] * 24)]
    )


def test_a_graph_scores_the_same_alone_and_in_company(client: Client) -> None:
    """Batch invariance through the wire: one request of 24 graphs, or 24 requests of one."""
    together = client.grpc(request_for(GRAPHS).message()).category_scores
    np.testing.assert_allclose(_alone(client, GRAPHS), together, atol=1e-5)


def test_concurrent_requests_do_not_mix(client: Client, server: ServerProcess, expected: Scores) -> None:
    """Requests that the server may join into batches get their own graphs' scores back, in their order."""
    before = metric(server, "dns_risk_batch_graphs_sum")
    singles = [request_for(one).message() for one in split(GRAPHS, [1] * 24)]
    futures = [client.stub.ModelInfer.future(single, timeout=30) for single in singles * 4]
    for place, future in enumerate(futures):
        raw = future.result().raw_output_contents[0]
        scores = np.frombuffer(raw, "<f4")
        np.testing.assert_allclose(scores, expected.category_scores[place % 24], atol=1e-5)
    # How many batches they made depends on how quickly they came.
    assert metric(server, "dns_risk_batch_graphs_sum") - before == 96


def test_metrics_tell_what_was_done(client: Client, server: ServerProcess) -> None:
    """Requests by code, batch sizes, model time and queue are exported."""
    name = f'dns_risk_requests_total{{code="OK",model="{RISK_MODEL}",protocol="grpc"}}'
    before = metric(server, name)
    client.grpc(request_for(GRAPHS).message())
    assert metric(server, name) == before + 1
    text = httpx.get(f"{server.rest_url}/metrics").text
    for family in (
        "queue_depth",
        "queue_seconds_bucket",
        "batch_nodes_sum",
        "batch_edges_sum",
        "model_seconds_sum",
    ):
        assert f"dns_risk_{family}" in text
    assert metric(server, "dns_risk_queue_depth") == 0


def test_empty_output_list_means_all(client: Client) -> None:
    """A JSON request with an empty `outputs` is answered with every output."""
    document = request_for(GRAPHS).document() | {"outputs": []}
    answer = client.http.post(INFER, json=document).json()
    assert [output["name"] for output in answer["outputs"]] == [spec.name for spec in GRAPH_OUTPUTS]
