"""Requests for explanations, and their answers."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from contract.tensors import RISK_MODEL

EXPLAIN = f"/v1/models/{RISK_MODEL}:explain"
UNSEEN = {"domain": "amazon-refund-portal.test", "answers": "AAAA 3ffe:b00::66, NS ns1.bulletproof.test"}
KNOWN = {"domain": "www.wikipedia.org"}
LONE = {"domain": "xkqjzvwhpf.top"}


def body(*instances: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """A v1 request."""
    return {"instances": list(instances), "parameters": parameters}


def explain(http: httpx.Client, *instances: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    """The explanations of some instances, for a caller with much time: no search ends by the clock."""
    headers = {"x-request-timeout-ms": "60000"}
    answer = http.post(EXPLAIN, json=body(*instances, **parameters), headers=headers)
    assert answer.status_code == 200, answer.text
    explanations: list[dict[str, Any]] = answer.json()["explanations"]
    return explanations


def refusal(http: httpx.Client, document: Any, **headers: str) -> tuple[int, str]:
    """Status and message of a request that is refused."""
    answer = http.post(EXPLAIN, content=json.dumps(document), headers=headers)
    return answer.status_code, answer.json()["error"]


def without_clock(content: bytes) -> bytes:
    """An answer without its one field that may differ."""
    return re.sub(rb'"milliseconds":[0-9.]+', b"", content)
