"""What the proxy is told is what the routes say."""

from __future__ import annotations

import copy
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import nginx_process as nginx
from tests.canary_demo.proxy import NOWHERE, configuration

PORTS = {"HTTPRoute": 18080, "GRPCRoute": 18081}
STABLE = {("dns-risk-transformer", 80): "127.0.0.1:2001", ("dns-risk-transformer", 8081): "127.0.0.1:2002"}
CANARY = {
    ("dns-risk-canary-transformer", 80): "127.0.0.1:3001",
    ("dns-risk-canary-transformer", 8081): "127.0.0.1:3002",
}
EXPLAIN = {"method": "POST", "path": {"type": "Exact", "value": "/v1/models/dns-risk:explain"}}
SCORE = [
    {"path": {"type": "PathPrefix", "value": "/v2"}},
    {"path": {"type": "PathPrefix", "value": "/v1/models"}},
]


def refs(component: str, port: int, canary_weight: int) -> list[dict[str, Any]]:
    return [
        {"name": f"dns-risk-{component}", "port": port, "weight": 100 - canary_weight},
        {"name": f"dns-risk-canary-{component}", "port": port, "weight": canary_weight},
    ]


def http_route(canary_weight: int, mirrored: int = 0) -> dict[str, Any]:
    score: dict[str, Any] = {"matches": SCORE, "backendRefs": refs("transformer", 80, canary_weight)}
    if mirrored:
        backend = {"name": "dns-risk-canary-transformer", "port": 80}
        mirror = {"backendRef": backend, "percent": mirrored}
        score["filters"] = [{"type": "RequestMirror", "requestMirror": mirror}]
    explain = {"matches": [EXPLAIN], "backendRefs": refs("explainer", 80, canary_weight)}
    return {"kind": "HTTPRoute", "spec": {"rules": [explain, score]}}


def grpc_route(canary_weight: int) -> dict[str, Any]:
    match = {"method": {"type": "Exact", "service": "inference.GRPCInferenceService"}}
    rule = {"matches": [match], "backendRefs": refs("transformer", 8081, canary_weight)}
    return {"kind": "GRPCRoute", "spec": {"rules": [rule]}}


def upstream(text: str, name: str) -> list[str]:
    """The servers of an upstream, as nginx reads them."""
    block = re.search(rf"upstream {name} {{(.*?)}}", text, re.DOTALL)
    assert block, text
    return re.findall(r"server (.+?);", block[1])


def test_weights_are_the_routes(tmp_path: Path) -> None:
    """Both protocols split as their rules say."""
    text = configuration([http_route(5), grpc_route(25)], STABLE | CANARY, PORTS, tmp_path)
    assert upstream(text, "rest-1") == [
        "127.0.0.1:2001 weight=95 max_fails=0",
        "127.0.0.1:3001 weight=5 max_fails=0",
    ]
    assert upstream(text, "grpc-0") == [
        "127.0.0.1:2002 weight=75 max_fails=0",
        "127.0.0.1:3002 weight=25 max_fails=0",
    ]


def test_a_weight_of_zero_gets_nothing(tmp_path: Path) -> None:
    """The backend is not there at all."""
    text = configuration([http_route(0)], STABLE | CANARY, PORTS, tmp_path)
    assert upstream(text, "rest-1") == ["127.0.0.1:2001 weight=100 max_fails=0"]


def test_a_version_without_pods_fails_its_share(tmp_path: Path) -> None:
    """Nothing hides that traffic goes where nobody is."""
    text = configuration([http_route(20)], STABLE, PORTS, tmp_path)
    assert upstream(text, "rest-1")[1] == f"{NOWHERE} weight=20 max_fails=0"
    assert "proxy_next_upstream off" in text


def test_explanations_have_their_own_backends(tmp_path: Path) -> None:
    """The rule of :explain comes before the prefix that it lies under."""
    addresses = {("dns-risk-explainer", 80): "127.0.0.1:2003"}
    text = configuration([http_route(0)], STABLE | addresses, PORTS, tmp_path)
    explain = text.index(r'"~^POST /v1/models/dns\-risk:explain$" rest-0;')
    assert explain < text.index('"~^\\S+ /v1/models(/|$)" rest-1;')
    assert upstream(text, "rest-0") == ["127.0.0.1:2003 weight=100 max_fails=0"]


def test_a_mirror_draws_its_share(tmp_path: Path) -> None:
    """Only the mirrored rule's requests are drawn, and only so many percent."""
    text = configuration([http_route(0, mirrored=20)], STABLE | CANARY, PORTS, tmp_path)
    assert '20% rest-1-mirror;\n        * "";' in text
    assert "rest-1 $rest_1_drawn;" in text
    assert "rest-0 $" not in text
    whole = configuration([http_route(0, mirrored=100)], STABLE | CANARY, PORTS, tmp_path)
    assert "* rest-1-mirror;" in whole


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
@pytest.mark.parametrize("mirrored", [0, 20, 100])
def test_nginx_takes_it(tmp_path: Path, mirrored: int) -> None:
    """Its own check finds nothing wrong, whatever the weights are."""
    for canary_weight in (0, 5, 100):
        routes = [http_route(canary_weight, mirrored), copy.deepcopy(grpc_route(canary_weight))]
        text = configuration(routes, STABLE, PORTS, tmp_path)
        (tmp_path / "nginx.conf").write_text(text)
        nginx.check(tmp_path)
