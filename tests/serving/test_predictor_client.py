"""The hop to the predictor, against a peer that answers as it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import service_pb2

from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS
from contract.tensors import RISK_MODEL, SCHEMA_PARAMETER
from inference_services.processes import free_ports
from load_tests.waiting import poll
from tests.graphs import random_graphs
from tests.services import scripted_predictor
from tests.serving.server_process import HOST, REPOSITORY

# What comes back when the peer is told to do so by the request id, or has no time to.
CALLS: dict[str, tuple[dict[str, Any], str, str]] = {
    "overloaded": ({"forward": {"x-request-id": "status:RESOURCE_EXHAUSTED"}}, "Overloaded", "scripted"),
    "schema": (
        {"forward": {"x-request-id": "status:FAILED_PRECONDITION"}},
        "FeatureSchemaMismatch",
        "scripted",
    ),
    "away": ({"forward": {"x-request-id": "status:UNAVAILABLE"}}, "PredictorUnavailable", "does not answer"),
    "no such model": ({"forward": {"x-request-id": "status:NOT_FOUND"}}, "PredictorUnavailable", "does not"),
    "cancelled": (
        {"forward": {"x-request-id": "status:CANCELLED"}},
        "PredictorUnavailable",
        "does not answer",
    ),
    "our bad request": (
        {"forward": {"x-request-id": "status:INVALID_ARGUMENT"}},
        "ScoringFailed",
        "scripted",
    ),
    "its bug": ({"forward": {"x-request-id": "status:INTERNAL"}}, "ScoringFailed", "scripted INTERNAL"),
    "late": ({"forward": {"x-request-id": "sleep:1"}, "deadline_s": 0.1}, "DeadlineExceeded", "eadline"),
    "too late": ({"deadline_s": 0}, "DeadlineExceeded", "eadline"),
    "no tensors": (
        {"forward": {"x-request-id": "answer:nothing"}},
        "ScoringFailed",
        "has no category_scores",
    ),
    "too few": ({"forward": {"x-request-id": "answer:short"}}, "ScoringFailed", "not shape (2, 4)"),
}
GOOD = {"forward": {"x-request-id": "good", "traceparent": "00-1-2-01"}, "deadline_s": 9}


def _calls(target: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.serving.predictor_calls", target]
    told = subprocess.run(
        command, cwd=REPOSITORY, input=json.dumps(calls), capture_output=True, text=True, check=True
    )
    return dict(json.loads(told.stdout))


@pytest.fixture(scope="module")
def peer_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("peer")


@pytest.fixture(scope="module")
def told(peer_records: Path) -> dict[str, Any]:
    """What became of a good call, of all others, and of a good one again."""
    with scripted_predictor(peer_records) as peer:
        answers: dict[str, Any] = {}

        def answered() -> bool:
            answers.update(_calls(peer.grpc_target, [GOOD, *(call for call, _, _ in CALLS.values()), GOOD]))
            return bool(answers["ready"])

        poll(answered, limit_s=20)
        return answers


def test_an_answer_is_arrays_and_parameters(told: dict[str, Any]) -> None:
    """Scores come with what the model says of itself, doubles included; refusals leave the channel whole."""
    assert told["calls"][0] == told["calls"][-1]
    scored = told["calls"][0]
    assert scored["category_scores"] == [[0.25, 0, 0, 0.75]] * 2
    assert scored["risk_score"] == scored["name_score"] == [0.75] * 2
    assert scored["parameters"] == {"model_version": "7", "monitor_threshold": 0.5, "block_threshold": 0.7}


@pytest.mark.parametrize("case", CALLS)
def test_refusals_keep_their_meaning(told: dict[str, Any], case: str) -> None:
    """Each status is the error of the tree whose callers should see it."""
    _, error, said = CALLS[case]
    refused = told["calls"][1 + list(CALLS).index(case)]
    assert refused["error"] == error
    assert said in refused["message"]


def test_a_request_is_the_contract(told: dict[str, Any], peer_records: Path) -> None:
    """Every tensor goes raw under its declared name and datatype, with the schema and the metadata."""
    assert told["ready"]
    place = next(path for path in peer_records.glob("*.json") if '"good"' in path.read_text())
    seen = json.loads(place.read_text())
    assert seen["metadata"]["traceparent"] == "00-1-2-01"
    # gRPC rounds what is left up.
    assert 0 < seen["remaining_s"] < 9.1
    request = service_pb2.ModelInferRequest.FromString(place.with_suffix(".request").read_bytes())
    assert request.model_name == RISK_MODEL
    assert request.parameters[SCHEMA_PARAMETER].string_param == FEATURE_SCHEMA
    arrays = random_graphs(np.random.default_rng(1), 2).tensors()
    for spec, tensor, raw in zip(GRAPH_INPUTS, request.inputs, request.raw_input_contents, strict=True):
        assert (tensor.name, tensor.datatype) == (spec.name, spec.datatype)
        assert tuple(tensor.shape) == arrays[spec.name].shape
        assert raw == arrays[spec.name].tobytes()


def test_nobody_there_is_not_ready() -> None:
    """Without a peer the client says so and does not raise, and a call is refused at once."""
    told = _calls(f"{HOST}:{free_ports(1)[0]}", [{"deadline_s": 5}])
    assert told["ready"] is False
    assert told["calls"][0]["error"] == "PredictorUnavailable"
