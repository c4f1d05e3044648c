"""What the explainer refuses, and with which status."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from contract.tensors import RISK_MODEL
from inference_services.processes import free_ports
from load_tests.waiting import poll
from tests.explainer.conftest import Services
from tests.explainer.explain_requests import EXPLAIN, KNOWN, LONE, UNSEEN, body, explain, refusal
from tests.services import SHIPPED_MODEL, explainer, metric, predictor, transformer
from tests.serving.server_process import HOST, ServerProcess

REFUSED: dict[str, tuple[Any, str]] = {
    "method": (
        body(LONE, method="lime"),
        "parameters.method: input should be 'shap' or 'anchor', got 'lime'",
    ),
    "parameter": (
        body(LONE, sample=5),
        "parameters: expected method, seed, samples, precision, graph, got 'sample'",
    ),
    "seed": (body(LONE, seed=-1), "parameters.seed: input should be greater than or equal to 0, got -1"),
    "seed of text": (body(LONE, seed="1"), "parameters.seed: input should be a valid integer, got '1'"),
    "samples": (
        body(LONE, samples=9),
        "parameters.samples: input should be greater than or equal to 64, got 9",
    ),
    "precision": (
        body(LONE, method="anchor", precision=1.0),
        "parameters.precision: input should be less than or equal to 0.99, got 1.0",
    ),
    "parameter of the other method": (
        body(LONE, method="anchor", samples=64),
        "parameters.samples: only method 'shap' has it, got 'anchor'",
    ),
    "parameters": ({"instances": [LONE], "parameters": []}, "parameters: expected an object, got list"),
    "misplaced": (
        {"instances": [LONE], "method": "anchor"},
        "expected the keys instances and parameters, got 'method'",
    ),
    "no instances": ({"parameters": {}}, "instances: expected a list of objects, got NoneType"),
    "not a name": (
        body(KNOWN, {"domain": "not a name"}),
        "instance 1: expected a domain name, got 'not a name': contains spaces or control characters",
    ),
    "too many": (body(*[LONE] * 17), "expected at most 16 domains a request, got 17"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_requests_say_what_was_expected(http: httpx.Client, case: str) -> None:
    """400 with the value, what was expected and what came."""
    document, reason = REFUSED[case]
    assert refusal(http, document) == (400, reason)


@pytest.mark.parametrize(
    ("parameters", "domains", "status"),
    [
        ({"method": "lime"}, [b"a.test"], "INVALID_ARGUMENT"),
        ({"unknown": 1}, [b"a.test"], "INVALID_ARGUMENT"),
        ({}, [b"not a name"], "INVALID_ARGUMENT"),
        ({}, [b"a.test"] * 17, "INVALID_ARGUMENT"),
    ],
)
def test_grpc_refuses_with_the_same_status(
    explained: Services, parameters: dict[str, Any], domains: list[bytes], status: str
) -> None:
    """What REST calls 400 gRPC calls INVALID_ARGUMENT."""
    column = triton.InferInput("domain", [len(domains)], "BYTES")
    column.set_data_from_numpy(np.array(domains, object))
    with (
        triton.InferenceServerClient(explained.explainer.grpc_target) as client,
        pytest.raises(InferenceServerException) as refused,
    ):
        client.infer(RISK_MODEL, [column], parameters=parameters)
    assert refused.value.status() == f"StatusCode.{status}"


def test_what_tritons_clients_send_with_any_request_is_no_option(explained: Services) -> None:
    """Priority, sequence and timeout steer nothing here, and are not taken for misspelt options; null is none."""
    domains = np.array([LONE["domain"].encode()], object)
    beside: dict[str, Any] = {"priority": 1, "timeout": 30_000_000, "sequence_id": 7, "request_id": "t"}
    for module, port in (
        (triton, explained.explainer.grpc_port),
        (triton_http, explained.explainer.rest_port),
    ):
        column = module.InferInput("domain", [1], "BYTES")
        column.set_data_from_numpy(domains)
        with module.InferenceServerClient(f"{HOST}:{port}") as client:
            answer = client.infer(RISK_MODEL, [column], parameters={"samples": 64}, **beside)
        assert len(answer.as_numpy("explanation")) == 1
    url = f"{explained.explainer.rest_url}{EXPLAIN}"
    assert httpx.post(url, json={"instances": [LONE], "parameters": None}, timeout=60).status_code == 200


def test_a_deadline_is_kept(http: httpx.Client) -> None:
    """What cannot be done in time is 504, and the next request is answered."""
    assert refusal(http, body(*[UNSEEN] * 16), **{"x-request-timeout-ms": "20"})[0] == 504
    assert explain(http, LONE)[0]["method"] == "shap"


def test_a_deadline_ends_the_search_for_a_rule(http: httpx.Client) -> None:
    """The best rule so far comes before the caller's time is over, and says that it is one."""
    request = body(UNSEEN, method="anchor", precision=0.99)
    answer = http.post(EXPLAIN, json=request, headers={"x-request-timeout-ms": "250"})
    assert answer.status_code == 200, answer.text
    [explanation] = answer.json()["explanations"]
    assert explanation["truncated"]
    assert explanation["cost"]["milliseconds"] < 250


def test_a_search_ends_at_its_rows(explained: Services) -> None:
    """With few rows allowed the best rule so far is answered, truncated, and no row more is scored."""
    ports = explained.predictor.grpc_port, explained.transformer.grpc_port
    with (
        explainer(*ports, SHIPPED_MODEL, anchor_rows=500) as process,
        httpx.Client(base_url=process.rest_url, timeout=60) as http,
    ):
        [explanation] = explain(http, UNSEEN, method="anchor", precision=0.99)
    assert explanation["truncated"]
    # One row more scores the domain itself.
    assert explanation["cost"]["rows"] <= 501
    assert explanation["precision"] is not None


def test_probes_are_answered_while_explanations_run(explained: Services, http: httpx.Client) -> None:
    """The event loop never waits for an explanation: a probe sent after it is answered before it."""
    slow = body(*[UNSEEN] * 8, method="anchor", precision=0.99)
    with ThreadPoolExecutor(1) as caller:
        running = caller.submit(http.post, EXPLAIN, json=slow, headers={"x-request-timeout-ms": "60000"})
        answered = 0
        while not running.done():
            answered += explained.explainer.status_of("/v2/health/live") == 200
        assert running.result().status_code == 200
    assert answered >= 10


@pytest.fixture(scope="module")
def small(explained: Services) -> Iterator[ServerProcess]:
    """An explainer with room for two explanations."""
    ports = explained.predictor.grpc_port, explained.transformer.grpc_port
    with explainer(*ports, SHIPPED_MODEL, max_waiting=2, max_instances=2, workers=1) as process:
        yield process


def test_too_many_waiting_are_refused_at_once(small: ServerProcess) -> None:
    """While the room is taken another request is 429 with a hint to come back; those inside are answered."""
    slow = body(UNSEEN, UNSEEN, method="anchor", precision=0.99)
    with httpx.Client(base_url=small.rest_url, timeout=60) as http, ThreadPoolExecutor(1) as caller:
        inside = caller.submit(http.post, EXPLAIN, json=slow)
        poll(lambda: metric(small, "dns_risk_explanations_waiting") == 2)
        refused = http.post(EXPLAIN, json=body(LONE))
        assert (refused.status_code, refused.json()["error"]) == (
            429,
            "2 of 2 explanations wait, try again later",
        )
        assert refused.headers["retry-after"] == "1"
        assert len(inside.result().json()["explanations"]) == 2
        assert explain(http, LONE)[0]["domain"] == LONE["domain"]


def test_many_rules_share_the_time_of_their_request(explained: Services) -> None:
    """Sixteen searches, none of which could end by itself, are all answered within the default deadline."""
    ports = explained.predictor.grpc_port, explained.transformer.grpc_port
    with (
        explainer(*ports, SHIPPED_MODEL, anchor_ms=60_000, anchor_rows=1_000_000) as process,
        httpx.Client(base_url=process.rest_url, timeout=60) as http,
    ):
        answer = http.post(EXPLAIN, json=body(*[UNSEEN] * 16, method="anchor", precision=0.99))
    assert answer.status_code == 200, answer.text
    rules = answer.json()["explanations"]
    assert len(rules) == 16
    assert all(rule["truncated"] and rule["precision"] is not None for rule in rules)


@pytest.mark.slow
def test_the_transformers_limit_is_the_callers_mistake(explained: Services, sample_store: Path) -> None:
    """More names than the transformer takes are 400, also where the explainer would take them."""
    with (
        transformer(explained.predictor.grpc_port, sample_store, max_domains=2) as features,
        explainer(explained.predictor.grpc_port, features.grpc_port, SHIPPED_MODEL) as process,
        httpx.Client(base_url=process.rest_url, timeout=30) as http,
    ):
        status, reason = refusal(http, body(LONE, LONE, LONE))
    assert (status, reason) == (400, "domain: expected at most 2 names a request, got 3")


def test_a_caller_that_leaves_costs_nothing_further(explained: Services, small: ServerProcess) -> None:
    """When the caller disconnects its work ends: what was waiting is never begun."""
    slow = body(UNSEEN, UNSEEN, method="anchor", precision=0.99)
    scored = "dns_risk_batch_graphs_sum"
    with httpx.Client(base_url=small.rest_url, timeout=60) as http:
        whole = sum(each["cost"]["rows"] for each in http.post(EXPLAIN, json=slow).json()["explanations"])
        before = metric(explained.predictor, scored)
        with pytest.raises(httpx.ReadTimeout):
            http.post(EXPLAIN, json=slow, timeout=0.1)
        poll(lambda: http.post(EXPLAIN, json=body(LONE, LONE)).status_code == 200, limit_s=10)
    assert metric(explained.predictor, scored) - before < 0.6 * whole


@pytest.mark.slow
@pytest.mark.parametrize("away", ["predictor", "transformer"])
def test_peers_that_are_away_are_503(explained: Services, away: str) -> None:
    """Without one of its peers it starts, is not ready, says at once who does not answer, and fails no other way."""
    nobody = free_ports(1)[0]
    ports = {"predictor": explained.predictor.grpc_port, "transformer": explained.transformer.grpc_port}
    ports[away] = nobody
    with explainer(ports["predictor"], ports["transformer"], SHIPPED_MODEL, ready=False) as process:
        poll(lambda: process.status_of("/v2/health/live") == 200, limit_s=60)
        assert process.status_of("/v2/health/ready") == 503
        with httpx.Client(base_url=process.rest_url, timeout=30) as http:
            status, reason = refusal(http, body(LONE))
            assert refusal(http, body(LONE, method="anchor"))[0] == 503
    assert (status, reason) == (503, f"the {away} at {HOST}:{nobody} does not answer; try again later")


@pytest.mark.slow
def test_the_order_of_starting_does_not_matter(sample_store: Path) -> None:
    """An explainer that was there first is ready when its peers are, and explains."""
    rest, predictor_grpc, transformer_rest, transformer_grpc = free_ports(4)
    with explainer(predictor_grpc, transformer_grpc, SHIPPED_MODEL, ready=False) as process:
        poll(lambda: process.status_of("/v2/health/live") == 200, limit_s=60)
        with predictor(SHIPPED_MODEL, ports=(rest, predictor_grpc)):
            settings = {"rest_port": transformer_rest, "grpc_port": transformer_grpc}
            with transformer(predictor_grpc, sample_store, ready=False, **settings):
                process.wait_until_ready()
                with httpx.Client(base_url=process.rest_url, timeout=30) as http:
                    assert explain(http, LONE)[0]["action"] == "block"


@pytest.mark.slow
def test_a_predictor_of_another_version_is_refused(
    explained: Services, risk_predictor: ServerProcess
) -> None:
    """Scores of another model than the background is of are 409, with both versions."""
    with (
        explainer(risk_predictor.grpc_port, explained.transformer.grpc_port, SHIPPED_MODEL) as process,
        httpx.Client(base_url=process.rest_url, timeout=30) as http,
    ):
        status, reason = refusal(http, body(LONE))
    assert status == 409
    assert "model version 'test-1'" in reason
    assert f"'{SHIPPED_MODEL.name}'" in reason


@pytest.mark.slow
def test_work_inside_is_finished_when_it_stops(explained: Services) -> None:
    """On SIGTERM an explanation under way is answered, and the process ends with status 0."""
    ports = explained.predictor.grpc_port, explained.transformer.grpc_port
    with explainer(*ports, SHIPPED_MODEL) as process, ThreadPoolExecutor(1) as caller:
        slow = body(UNSEEN, UNSEEN, method="anchor", precision=0.99)
        asked = caller.submit(httpx.post, process.rest_url + EXPLAIN, json=slow, timeout=60)
        inside = 'dns_risk_in_flight{protocol="rest"}'
        poll(lambda: f"{inside} 1.0" in httpx.get(f"{process.rest_url}/metrics").text)
        process.signal()
        assert asked.result().status_code == 200
        assert process.wait() == 0
