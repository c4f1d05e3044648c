from __future__ import annotations

import httpx
import pytest

from load_tests.waiting import poll
from tests.serving.v2_requests import INFER, document


def test_metadata_says_what_the_model_declares(http: httpx.Client) -> None:
    """Names, datatypes and shapes of the model are its metadata, with and without its version."""
    metadata = http.get("/v2/models/echo").json()
    assert metadata == http.get("/v2/models/echo/versions/7").json()
    assert (metadata["name"], metadata["versions"], metadata["platform"]) == ("echo", ["7"], "echo")
    assert metadata["inputs"][0] == {"name": "values", "datatype": "FP32", "shape": [-1, 2]}
    assert metadata["outputs"][2] == {"name": "names", "datatype": "BYTES", "shape": [-1]}


def test_server_tells_its_name_and_extensions(http: httpx.Client) -> None:
    """Server metadata names the binary extension, and no repository."""
    metadata = http.get("/v2").json()
    assert (metadata["name"], metadata["extensions"]) == ("dns-risk", ["binary_tensor_data"])


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v2/health/live", {"live": True}),
        ("/v2/health/ready", {"ready": True}),
        ("/v2/models/echo/ready", {"name": "echo", "ready": True}),
        ("/v2/models/echo/versions/7/ready", {"name": "echo", "ready": True}),
        ("/v1/models/echo", {"name": "echo", "ready": True}),
        ("/v1/models", {"models": ["echo"]}),
    ],
)
def test_a_ready_server_says_so(http: httpx.Client, path: str, content: dict[str, object]) -> None:
    """Every probe of both protocol versions answers 200 when the model is ready."""
    answer = http.get(path)
    assert (answer.status_code, answer.json()) == (200, content)


def test_readiness_is_the_models(http: httpx.Client) -> None:
    """A model that says it is not ready makes its probes and the server's 503, and only those."""
    http.post(INFER, json=document(parameters={"ready": False}))
    for path in ("/v2/health/ready", "/v2/models/echo/ready", "/v1/models/echo"):
        answer = http.get(path)
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert http.get("/v2/health/live").status_code == 200
    http.post(INFER, json=document(parameters={"ready": True}))
    poll(lambda: http.get("/v2/health/ready").status_code == 200)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/other", 404),
        ("GET", "/v2/models/other/ready", 404),
        ("GET", "/v2/models/echo/versions/8", 404),
        ("POST", "/v2/models/other/infer", 404),
        ("POST", "/v2/models/echo/versions/8/infer", 404),
        ("POST", "/v2/repository/models/echo/unload", 404),
        ("POST", "/v2/repository/models/echo/load", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "/openai/v1/models", 404),
        ("GET", INFER, 405),
        ("DELETE", "/v2/models/echo", 405),
    ],
)
def test_what_is_not_here_is_refused_in_json(http: httpx.Client, method: str, path: str, status: int) -> None:
    """Other models, versions, repositories and documents are refused with a JSON error."""
    answer = http.request(method, path)
    assert answer.status_code == status
    assert isinstance(answer.json()["error"], str)
    assert http.get("/v2/health/ready").status_code == 200


def test_nothing_is_told_about_the_software(http: httpx.Client) -> None:
    """No server header names versions to an attacker."""
    assert "server" not in http.get("/v2").headers


def test_requests_are_counted_by_code(http: httpx.Client) -> None:
    """Metrics count by protocol, model and code; a model that is not here makes no new label."""

    def count(model: str, code: int) -> float:
        head = f'dns_risk_requests_total{{code="{code}",model="{model}",protocol="rest"}} '
        lines = http.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(head)) for line in lines if line.startswith(head))

    before = count("echo", 200), count("echo", 400), count("unknown", 404)
    http.post(INFER, json=document())
    http.post(INFER, json={})
    http.post("/v2/models/made-up/infer", json={})
    assert (count("echo", 200), count("echo", 400), count("unknown", 404)) == tuple(n + 1 for n in before)
    metrics = http.get("/metrics").text
    assert "made-up" not in metrics
    assert 'dns_risk_in_flight{protocol="rest"} 0.0' in metrics
