"""The kinds of requests that are sent, each a property that holds for whatever hypothesis makes of it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.chaos.fuzz import strategies
from tests.predictor.graph_changes import CHANGES, NAMES, changed
from tests.predictor.graph_requests import HTTP_OF_GRPC, Client
from tests.serving.server_process import HOST, ServerProcess
from tests.transformer.score_requests import INFER, message, strings

CALLERS_FAULT = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}
_PATIENT_S = 20.0


@dataclass
class Targets:
    """The servers, clients of both, and how many requests they have sent."""

    transformer: ServerProcess
    predictor: ServerProcess
    sent: int = 0
    on_sent: Callable[[int], None] = lambda _sent: None
    names: Client = field(init=False)
    graphs: Client = field(init=False)

    def __post_init__(self) -> None:
        self.names, self.graphs = Client(self.transformer), Client(self.predictor)

    def close(self) -> None:
        """Close connections."""
        self.names.close()
        self.graphs.close()

    def count(self) -> None:
        """One more request."""
        self.sent += 1
        self.on_sent(self.sent)

    def rest(self, client: Client, body: bytes, headers: dict[str, str] | None = None) -> int:
        """The status of a REST request, which is no 5xx and says why in JSON."""
        self.count()
        answer = client.http.post(INFER, content=body, headers=headers or {})
        status = answer.status_code
        assert status == 200 or 400 <= status < 500, (status, answer.content[:200])
        assert status == 200 or answer.json()["error"], answer.content[:200]
        return status

    def grpc_code(self, client: Client, raw: bytes) -> str:
        """The status of a gRPC request, which is the caller's fault at most."""
        self.count()
        code = client.code_of(raw)
        assert code in CALLERS_FAULT, code
        return code


def bodies(targets: Targets, body: bytes) -> None:
    """JSON is answered or refused."""
    targets.rest(targets.names, body)


def binary_bodies(targets: Targets, request: tuple[bytes, dict[str, str]]) -> None:
    """So are binary tensors, whatever sizes they claim."""
    targets.rest(targets.names, *request)


def messages(targets: Targets, raw: bytes) -> None:
    """So are protobuf messages and what is none."""
    targets.grpc_code(targets.names, raw)


def names(targets: Targets, named: list[tuple[bytes, bytes]]) -> None:
    """Each name has a score or a reason, alike on both protocols, with answers of every kind."""
    domains, answers = [name for name, _ in named], [answer for _, answer in named]
    targets.count()
    over_grpc = _columns(targets.names.stub.ModelInfer(message(domains, answers), timeout=_PATIENT_S))
    risk, statuses = over_grpc["risk_score"], over_grpc["status"]
    scored = (risk >= 0) & (risk <= 1)
    assert (scored | (risk == -1)).all(), risk
    assert len(statuses) == len(domains)
    assert all(scored[place] or statuses[place] != b"ok" for place in range(len(domains)))
    body, headers = _binary(domains, answers)
    assert targets.rest(targets.names, body, headers) == 200


def graphs(targets: Targets, changes: list[tuple[str, Any]]) -> None:
    """A predictor scores broken graphs or refuses them, alike on both protocols."""
    request = changed(changes)
    targets.count()
    answer = targets.graphs.grpc(request.message())
    assert answer.code in CALLERS_FAULT, answer
    if answer.code == "OK":
        assert ((answer.risk_score >= 0) & (answer.risk_score <= 1)).all()
    status = targets.rest(targets.graphs, *request.binary())
    assert status in HTTP_OF_GRPC[answer.code], (status, answer)


def http(targets: Targets, raw: bytes) -> None:
    """Damaged HTTP has a status below 500, or its connection is closed or waits for more."""
    targets.count()
    with socket.create_connection((HOST, targets.transformer.rest_port), timeout=5) as one:
        answered = b""
        with suppress(ConnectionError):
            one.sendall(raw)
            # No more comes: an unfinished request ends here too.
            one.shutdown(socket.SHUT_WR)
            answered = one.recv(64)
    assert not answered or (answered.startswith(b"HTTP/1.") and answered[9:10] in b"1234"), answered


def _columns(response: Any) -> dict[str, Any]:
    raw = dict(zip((output.name for output in response.outputs), response.raw_output_contents, strict=True))
    return {"risk_score": np.frombuffer(raw["risk_score"], "<f4"), "status": _elements(raw["status"])}


def _elements(raw: bytes) -> list[bytes]:
    found, place = [], 0
    while place < len(raw):
        length = int.from_bytes(raw[place : place + 4], "little")
        found.append(raw[place + 4 : place + 4 + length])
        place += 4 + length
    return found


def _binary(*columns: list[bytes]) -> tuple[bytes, dict[str, str]]:
    raws = [strings(column) for column in columns]
    inputs = [
        {
            "name": name,
            "datatype": "BYTES",
            "shape": [len(columns[0])],
            "parameters": {"binary_data_size": len(raw)},
        }
        for name, raw in zip(("domain", "answers"), raws, strict=True)
    ]
    head = json.dumps({"inputs": inputs}).encode()
    return head + b"".join(raws), {"inference-header-content-length": str(len(head))}


CHANGED = st.lists(st.tuples(st.sampled_from(NAMES), CHANGES), min_size=1, max_size=3)
KINDS: dict[str, tuple[Callable[[Targets, Any], None], Any, float]] = {
    "JSON bodies": (bodies, strategies.BODY, 0.2),
    "binary bodies": (binary_bodies, strategies.BINARY_BODY, 0.1),
    "messages": (messages, strategies.MESSAGE, 0.2),
    "names": (names, strategies.NAMED, 0.2),
    "graphs": (graphs, CHANGED, 0.2),
    "HTTP": (http, strategies.HTTP_REQUEST, 0.1),
}
"""Each with its strategy and its share of all requests."""
_TWO_REQUESTS = {"names", "graphs"}


def send(targets: Targets, kind: str, requests: int) -> None:
    """About so many requests of a kind.

    Raises:
        AssertionError: the shortest request found that is not answered as it ought to be.
    """
    check, strategy, _ = KINDS[kind]
    examples = max(1, requests // (2 if kind in _TWO_REQUESTS else 1))

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(strategy)
    def holds(request: Any) -> None:
        check(targets, request)

    holds()
