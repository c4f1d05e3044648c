"""The transformer without its predictor, and with one that refuses: nobody hangs."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from tritonclient.grpc import service_pb2_grpc

from contract.tensors import RISK_MODEL
from inference_services.processes import free_ports
from load_tests.waiting import poll
from tests.predictor.graph_requests import HTTP_OF_GRPC
from tests.services import metric, predictor, transformer
from tests.serving.server_process import ServerProcess
from tests.transformer.score_requests import INFER, PREDICT, columns_of, document, message, score

READY = f"/v2/models/{RISK_MODEL}/ready"
NAMES = ["example.com", "never-seen.com"]


def _grpc_code(process: ServerProcess, timeout_s: float = 20, **metadata: str) -> tuple[str, str]:
    with grpc.insecure_channel(process.grpc_target) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        told = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
        try:
            stub.ModelInfer(message([b"example.com"]), timeout=timeout_s, metadata=told)
        except grpc.RpcError as error:
            return error.code().name, error.details()
    return "OK", ""


def test_an_absent_predictor_is_told_at_once(model_dir: Path, store: Path) -> None:
    """Away: 503 / UNAVAILABLE at once, not ready, yet alive; back: healthy within two seconds."""
    rest_port, grpc_port = free_ports(2)
    with transformer(grpc_port, store, ready=False) as process:
        poll(lambda: process.status_of("/v2/health/live") == 200, limit_s=30)
        began_s = time.monotonic()
        answer = httpx.post(process.rest_url + INFER, json=document(NAMES), timeout=20)
        code, details = _grpc_code(process)
        assert time.monotonic() - began_s < 2
        assert (answer.status_code, code) == (503, "UNAVAILABLE")
        assert answer.json()["error"] == details
        assert details == f"the predictor at 127.0.0.1:{grpc_port} does not answer; try again later"
        assert (process.status_of(READY), process.status_of("/v2/health/ready")) == (503, 503)
        with httpx.Client(base_url=process.rest_url, timeout=20) as client:
            # What needs no score is answered without the predictor.
            assert score(client, ["http://no.name/"])["risk_score"] == [-1]
            with predictor(model_dir, ports=(rest_port, grpc_port)):
                poll(lambda: process.status_of(READY) == 200, limit_s=2)
                assert score(client, NAMES)["status"] == ["ok", "ok"]


def test_a_predictor_killed_in_the_middle_hangs_nobody(model_dir: Path, store: Path) -> None:
    """Frozen, the predictor costs callers their deadline; killed, they are told at once."""
    with (
        predictor(model_dir) as behind,
        transformer(behind.grpc_port, store) as process,
        httpx.Client(base_url=process.rest_url, timeout=30) as client,
        ThreadPoolExecutor(16) as callers,
    ):
        score(client, NAMES)
        behind.process.send_signal(signal.SIGSTOP)
        late = client.post(INFER, json=document(NAMES), headers={"x-request-timeout-ms": "200"})
        assert (late.status_code, "deadline" in late.json()["error"]) == (504, True)
        assert _grpc_code(process, 0.2)[0] == "DEADLINE_EXCEEDED"
        assert process.status_of(READY) == 503
        futures = [callers.submit(client.post, INFER, json=document(NAMES)) for _ in range(16)]
        poll(lambda: metric(process, 'dns_risk_in_flight{protocol="rest"}') == 16)
        began_s = time.monotonic()
        behind.process.kill()
        assert Counter(future.result().status_code for future in futures) == {503: 16}
        assert time.monotonic() - began_s < 3
        poll(lambda: metric(process, 'dns_risk_in_flight{protocol="rest"}') == 0)


REFUSALS = {
    "FAILED_PRECONDITION": (409, "scripted FAILED_PRECONDITION"),
    "RESOURCE_EXHAUSTED": (429, "scripted RESOURCE_EXHAUSTED"),
    "UNAVAILABLE": (503, "does not answer"),
    "NOT_FOUND": (503, "does not answer"),
    "DEADLINE_EXCEEDED": (504, "scripted DEADLINE_EXCEEDED"),
    "INVALID_ARGUMENT": (500, "scripted INVALID_ARGUMENT"),
    "INTERNAL": (500, "scripted INTERNAL"),
    "UNKNOWN": (500, "scripted UNKNOWN"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_the_predictors_refusals_reach_the_client(scripted: ServerProcess, code: str) -> None:
    """Other features, overload and the rest keep their status across both hops; our bug is never the client's."""
    status, reason = REFUSALS[code]
    order = f"status:{code}"
    for path, body in ((INFER, document(NAMES)), (PREDICT, {"instances": [{"domain": "example.com"}]})):
        answer = httpx.post(scripted.rest_url + path, json=body, headers={"x-request-id": order}, timeout=20)
        assert answer.status_code == status
        assert reason in answer.json()["error"]
    grpc_code, details = _grpc_code(scripted, x_request_id=order)
    assert status in HTTP_OF_GRPC[grpc_code]
    assert reason in details


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("nothing", "the predictor's answer has no category_scores, risk_score"),
        ("short", "the predictor's category_scores is of shape (1, 4), not shape (2, 4)"),
        ("no thresholds", "the predictor's answer has no monitor_threshold, and no setting gives it"),
        ("no numbers", "the predictor's risk_score is no probability: nan"),
        ("over one", "the predictor's risk_score is no probability: 1.5"),
        ("torn", "the predictor's category_scores holds 29 bytes, not shape (2, 4)"),
        ("retyped", "the predictor's category_scores is FP64 of shape [2, 4], not FP32 of shape [-1, 4]"),
    ],
)
def test_a_broken_answer_is_the_servers_fault(scripted: ServerProcess, flaw: str, reason: str) -> None:
    """An answer that is not what was asked for is 500 and says what is wrong with it."""
    headers = {"x-request-id": f"answer:{flaw}"}
    answer = httpx.post(scripted.rest_url + INFER, json=document(NAMES), headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["error"]) == (500, reason)


def test_the_model_says_what_to_do(scripted: ServerProcess) -> None:
    """Thresholds and version come with the predictor's answer where no setting overrides them."""
    # Of example.com, which is special, nothing is ever blocked.
    names = [*NAMES, "never-seen.net"]
    answer = httpx.post(scripted.rest_url + INFER, json=document(names), timeout=20).json()
    columns = columns_of(answer)
    assert columns["action"] == ["monitor", "block", "block"]
    assert columns["category"] == ["phishing"] * 3
    assert answer["parameters"] == {"model_version": "7"}


def test_an_older_predictor_blocks_nobody_by_evidence(scripted: ServerProcess) -> None:
    """Without a score of the name alone, a name with neighbours is monitored at most; a lone one is as before."""
    headers = {"x-request-id": "answer:older"}
    answer = httpx.post(scripted.rest_url + INFER, json=document(NAMES), headers=headers, timeout=20).json()
    columns = columns_of(answer)
    assert [count > 0 for count in columns["neighbours"]] == [True, False]
    assert columns["action"] == ["monitor", "block"]
    assert columns["name_score"] == [-1, columns["risk_score"][1]]


def _recorded(recorded: Path, request_id: str) -> dict[str, Any]:
    told = [json.loads(path.read_text()) for path in recorded.glob("*.json")]
    return next(entry for entry in told if entry["metadata"].get("x-request-id") == request_id)


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_trace_and_deadline_go_on(scripted: ServerProcess, recorded: Path, protocol: str) -> None:
    """The predictor sees traceparent, tracestate, x-request-id and the time left, and no credentials."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    told = {
        "traceparent": trace,
        "tracestate": "a=1",
        "x-request-id": f"mine-{protocol}",
        "authorization": "s",
    }
    if protocol == "rest":
        headers = told | {"x-request-timeout-ms": "1500"}
        assert httpx.post(scripted.rest_url + INFER, json=document(NAMES), headers=headers).status_code == 200
    else:
        metadata = {name.replace("-", "_"): value for name, value in told.items()}
        assert _grpc_code(scripted, 1.5, **metadata) == ("OK", "")
    seen = _recorded(recorded, f"mine-{protocol}")
    assert seen["metadata"]["traceparent"] == trace
    assert seen["metadata"]["tracestate"] == "a=1"
    assert "authorization" not in seen["metadata"]
    # gRPC rounds what is left up.
    assert 0 < seen["remaining_s"] < 1.6


def test_the_request_id_goes_on(scripted: ServerProcess, recorded: Path) -> None:
    """A v2 id stands in for a missing x-request-id, and comes back."""
    answer = httpx.post(scripted.rest_url + INFER, json=document(NAMES, id="v2-id"), timeout=20)
    assert answer.json()["id"] == "v2-id"
    assert _recorded(recorded, "v2-id")


def test_a_slow_predictor_costs_the_deadline(scripted: ServerProcess) -> None:
    """A caller whose deadline passes while the predictor works is told then, not later."""
    headers = {"x-request-id": "sleep:1", "x-request-timeout-ms": "150"}
    began_s = time.monotonic()
    answer = httpx.post(scripted.rest_url + INFER, json=document(NAMES), headers=headers, timeout=20)
    assert answer.status_code == 504
    assert time.monotonic() - began_s < 0.9
