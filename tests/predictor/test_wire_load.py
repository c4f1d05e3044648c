"""A predictor with more work than it can do, or told to stop in the middle: every caller gets an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from load_tests.waiting import poll
from predictor.architecture import Architecture
from tests.checkpoints import write_checkpoint
from tests.graphs import random_graphs
from tests.predictor.graph_requests import Client, request_for
from tests.services import metric, predictor
from tests.serving.fronts import ATTACKED
from tests.serving.server_process import ServerProcess

pytestmark = pytest.mark.every_front(*ATTACKED)

# One request fills a batch and takes about 0.1 s, and two batches fill the queue.
SLOW = Architecture(evidence_width=1536, evidence_layers=4)
LIMITS = {"max_batch_nodes": 1000, "max_batch_edges": 2000, "max_queue_batches": 2}
FULL = request_for(random_graphs(np.random.default_rng(6), 8, 125, 250))
SMALL = request_for(random_graphs(np.random.default_rng(7), 1, 2, 2))


@pytest.fixture(scope="module")
def slow_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is slow, so that work is under way for as long as a test needs."""
    directory = tmp_path_factory.mktemp("slow")
    write_checkpoint(directory, architecture=SLOW)
    return directory


@pytest.fixture(scope="module")
def busy(slow_dir: Path, front_settings: dict[str, str]) -> Iterator[ServerProcess]:
    """A predictor whose queue holds two large requests."""
    with predictor(slow_dir, **LIMITS | front_settings) as process:
        yield process


@pytest.fixture(scope="module")
def crowd(busy: ServerProcess) -> Iterator[Client]:
    """Connections to it."""
    connected = Client(busy)
    yield connected
    connected.close()


@pytest.fixture
def patient(slow_dir: Path, front_settings: dict[str, str]) -> Iterator[ServerProcess]:
    """A predictor that queues whatever comes, for a test that stops it or counts on it alone."""
    with predictor(slow_dir, **LIMITS | {"max_queue_batches": 50} | front_settings) as process:
        yield process


REASONS = ("caller_gone", "deadline")


def _flood(client: Client, requests: int) -> list[Any]:
    message = FULL.message()
    return [client.stub.ModelInfer.future(message, timeout=60) for _ in range(requests)]


def _code(future: Any) -> str:
    error = future.exception()
    return "OK" if error is None else str(error.code().name)


def _drain(busy: ServerProcess, futures: list[Any]) -> Counter[str]:
    codes = Counter(_code(future) for future in futures)
    poll(lambda: metric(busy, "dns_risk_queue_depth") == 0)
    return codes


def test_a_full_queue_refuses_at_once_on_grpc(crowd: Client, busy: ServerProcess) -> None:
    """What finds the queue full is RESOURCE_EXHAUSTED; what was accepted is scored."""
    before = metric(busy, 'dns_risk_queue_dropped_total{reason="overloaded"}')
    codes = _drain(busy, _flood(crowd, 40))
    assert set(codes) == {"OK", "RESOURCE_EXHAUSTED"}
    dropped = metric(busy, 'dns_risk_queue_dropped_total{reason="overloaded"}') - before
    assert dropped == codes["RESOURCE_EXHAUSTED"]


def test_a_full_queue_refuses_at_once_on_rest(crowd: Client, busy: ServerProcess) -> None:
    """The same is 429 on REST, and says to come back later."""
    body, headers = FULL.binary()
    with ThreadPoolExecutor(24) as callers:
        answers = list(callers.map(lambda _: crowd.rest(body, headers), range(40)))
    assert {status for status, _ in answers} == {200, 429}
    refused = next(document for status, document in answers if status == 429)
    assert "queue is full" in refused["error"]
    assert "try again later" in refused["error"]
    assert metric(busy, "dns_risk_queue_depth") == 0


def test_too_many_nodes_are_the_callers_fault(crowd: Client) -> None:
    """A request that fits no batch is refused for what it is, however empty the queue."""
    refused = crowd.grpc(request_for(random_graphs(np.random.default_rng(0), 1, 1001, 0)).message())
    assert (refused.code, refused.reason) == (
        "INVALID_ARGUMENT",
        "expected at most 1000 nodes a request, got 1001: send fewer graphs",
    )


def test_work_of_a_caller_who_left_is_dropped(patient: ServerProcess) -> None:
    """Requests whose callers give up while they wait never reach the model, and are counted by why."""
    client = Client(patient)
    flood = _flood(client, 12)
    poll(lambda: metric(patient, "dns_risk_queue_depth") > 8, period_s=0.005)
    gone = client.stub.ModelInfer.future(SMALL.message(), timeout=60)
    late = client.stub.ModelInfer.future(SMALL.message(), timeout=0.2)
    poll(lambda: metric(patient, "dns_risk_queue_graphs") % 8 == 2, period_s=0.005)
    gone.cancel()
    assert _code(late) == "DEADLINE_EXCEEDED"
    body, headers = SMALL.binary()
    status, document = client.rest(body, headers | {"x-request-timeout-ms": "100"})
    assert (status, "deadline" in document["error"]) == (504, True)
    assert {_code(future) for future in flood} == {"OK"}
    poll(lambda: metric(patient, 'dns_risk_in_flight{protocol="grpc"}') == 0)
    assert metric(patient, "dns_risk_batch_graphs_sum") == 8 * len(flood)
    dropped = [metric(patient, f'dns_risk_queue_dropped_total{{reason="{why}"}}') for why in REASONS]
    assert sum(dropped) == 3
    client.close()


def test_drain_finishes_what_was_accepted(patient: ServerProcess) -> None:
    """SIGTERM with work queued: all of it is scored, newcomers are refused, and the process ends with 0."""
    client, late = Client(patient), Client(patient)
    assert late.grpc(SMALL.message()).code == "OK"
    flood = _flood(client, 12)
    poll(lambda: metric(patient, 'dns_risk_in_flight{protocol="grpc"}') >= 11, period_s=0.005)
    patient.signal()
    poll(lambda: patient.status_of("/v2/health/live") == 0)
    assert late.grpc(SMALL.message(), timeout_s=5).code == "UNAVAILABLE"
    assert Counter(_code(future) for future in flood) == {"OK": len(flood)}
    assert patient.wait(30) == 0
    client.close()
    late.close()


def test_a_kill_leaves_nobody_hanging(patient: ServerProcess) -> None:
    """When the process dies with work queued, every caller is told at once."""
    client = Client(patient)
    flood = _flood(client, 12)
    poll(lambda: metric(patient, "dns_risk_queue_depth") > 6, period_s=0.005)
    patient.process.kill()
    codes = Counter(_code(future) for future in flood)
    assert set(codes) <= {"OK", "UNAVAILABLE"}
    assert codes["UNAVAILABLE"] > 3
    client.close()


def test_health_is_answered_under_load(crowd: Client, busy: ServerProcess) -> None:
    """Probes get their answer while the model works: nothing runs on the event loop that could block it."""
    flood = _flood(crowd, 20)
    assert crowd.http.get("/v2/health/ready", timeout=2).status_code == 200
    with grpc.insecure_channel(busy.grpc_target) as channel:
        grpc.channel_ready_future(channel).result(timeout=5)
    _drain(busy, flood)
