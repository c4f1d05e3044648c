"""Model "domain-features": the tensors that names are scored by, as its clients get them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton_http

from contract.feature_schema import DOMAIN_NODE, FEATURE_SCHEMA
from contract.graph_checks import from_tensors
from contract.graphs import FEATURE_OUTPUTS
from contract.tensors import FEATURES_MODEL
from tests.services import transformer
from tests.serving.server_process import ServerProcess
from tests.transformer.score_requests import document
from transformer.featurize import featurize
from transformer.graph_store import GraphStore

NAMES = ["example.com", "never-seen.test", "not a name", "cdn.example.com"]
ANSWERS = ["", "A 11.0.2.1, AAAA 3ffe:b00::77, NS ns9.example.net, CNAME new.example.org", "", "A nonsense"]
INFER = f"/v2/models/{FEATURES_MODEL}/infer"


@pytest.fixture(scope="module")
def answer(service: ServerProcess) -> Any:
    """NAMES with ANSWERS, asked by Triton's client with binary tensors."""
    with triton_http.InferenceServerClient(service.rest_url.removeprefix("http://")) as client:
        inputs = []
        for name, values in (("domain", NAMES), ("answers", ANSWERS)):
            tensor = triton_http.InferInput(name, [len(values)], "BYTES")
            tensor.set_data_from_numpy(np.array([value.encode() for value in values], object))
            inputs.append(tensor)
        return client.infer(FEATURES_MODEL, inputs)


@pytest.fixture(scope="module")
def tensors(answer: Any) -> dict[str, np.ndarray]:
    return {spec.name: answer.as_numpy(spec.name) for spec in FEATURE_OUTPUTS}


def test_the_tensors_are_those_of_the_featurizer(tensors: dict[str, np.ndarray], store: Path) -> None:
    """What comes over the wire is bit for bit what a name is scored by."""
    expected = featurize(GraphStore(store).snapshot, NAMES, ANSWERS)
    assert expected.graphs is not None
    assert tensors["graph_rows"].tolist() == [0, 1, 3]
    for name, array in expected.graphs.tensors().items():
        np.testing.assert_array_equal(tensors[name], array)
    assert [status.decode() for status in tensors["status"]] == expected.statuses


def test_every_node_has_its_label(tensors: dict[str, np.ndarray]) -> None:
    """Domains are labelled with their name, hosts and name servers too, those of answers that the store knows."""
    graphs = from_tensors(tensors)
    labels = [label.decode() for label in tensors["node_labels"]]
    assert len(labels) == graphs.node_count
    for node in np.flatnonzero(graphs.node_type == DOMAIN_NODE):
        begin, end = graphs.name_offsets[node : node + 2]
        assert graphs.name_bytes[begin:end].tobytes().decode() == labels[node]
    first, last = graphs.node_offsets[1:3]
    assert "11.0.2.1" in labels[first:last]
    assert not {"3ffe:b00::77", "ns9.example.net", "new.example.org"} & set(labels[first:last])


def test_it_says_what_the_tensors_are_of(service: ServerProcess, store: Path) -> None:
    """Schema and snapshot travel along; thresholds only where the operator set them."""
    told = httpx.post(service.rest_url + INFER, json=document(["example.com"]), timeout=20).json()
    snapshot_id = GraphStore(store).snapshot.snapshot_id
    assert told["parameters"] == {"feature_schema": FEATURE_SCHEMA, "graph_snapshot": snapshot_id}


def test_thresholds_of_the_operator_travel_along(risk_predictor: ServerProcess, store: Path) -> None:
    """So an explainer names the action that the client was given."""
    with transformer(risk_predictor.grpc_port, store, monitor_threshold=0.2, block_threshold=0.4) as process:
        told = httpx.post(process.rest_url + INFER, json=document(["example.com"]), timeout=20).json()
    assert told["parameters"]["monitor_threshold"] == 0.2
    assert told["parameters"]["block_threshold"] == 0.4


@pytest.mark.parametrize("names", [[], ["no name", ""]])
def test_nothing_to_cut_gives_empty_tensors(http: httpx.Client, names: list[str]) -> None:
    """Without a single name the tensors are there, of length zero."""
    outputs = {each["name"]: each for each in http.post(INFER, json=document(names)).json()["outputs"]}
    assert outputs["node_features"]["shape"] == [0, 60]
    assert outputs["edge_index"]["shape"] == [2, 0]
    assert outputs["node_offsets"]["data"] == [0]
    assert outputs["status"]["shape"] == [len(names)]


def test_it_answers_without_a_predictor(store: Path) -> None:
    """Features need no model: with the predictor away they come all the same."""
    with transformer(9, store, ready=False) as process:
        while process.status_of(f"/v2/models/{FEATURES_MODEL}/ready") != 200:
            assert process.process.poll() is None
        answer = httpx.post(process.rest_url + INFER, json=document(["example.com"]), timeout=20)
    assert answer.status_code == 200


def test_too_many_names_are_refused(http: httpx.Client) -> None:
    """The same limit as for scores, with the same message."""
    answer = http.post(INFER, json=document(["example.com"] * 257))
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "domain: expected at most 256 names a request, got 257",
    )
