"""Whatever tritonclient can be told to send, its two clients get the same of a real server."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

from tests.serving.server_process import HOST, ServerProcess

pytestmark = pytest.mark.every_front

ARRAYS = {
    "values": ("FP32", np.array([[1, 2.5], [3, 4]], np.float32)),
    "ids": ("INT64", np.array([7, -8])),
    "names": ("BYTES", np.array([b"a", "é".encode()], object)),
}
CLIENTS = ("http", "grpc")

GOOD: dict[str, dict[str, Any]] = {
    "priority": {"priority": 1},
    "the highest priority": {"priority": 2**64 - 1},
    "a sequence": {"sequence_id": 3, "sequence_start": True, "sequence_end": True},
    "a sequence by name": {"sequence_id": "three", "sequence_start": True},
    "a timeout": {"timeout": 5_000_000},
    "headers": {"headers": {"x-request-id": "r", "x-other": "1"}},
    "an id": {"request_id": "mine"},
    "a version": {"model_version": "7"},
    "parameters": {"parameters": {"x": 1, "y": -1.5, "z": "é", "w": False}},
    "everything": {"priority": 1, "timeout": 1, "sequence_id": 1, "request_id": "7", "parameters": {"x": 1}},
}


def ask(echo: ServerProcess, kind: str, outputs: list[tuple[str, dict[str, Any]]], **beside: Any) -> Any:
    """Two rows, sent by one of the clients."""
    module: Any = tritonclient.http if kind == "http" else tritonclient.grpc
    port = echo.rest_port if kind == "http" else echo.grpc_port
    inputs = [module.InferInput(name, array.shape, datatype) for name, (datatype, array) in ARRAYS.items()]
    for column, (_, array) in zip(inputs, ARRAYS.values(), strict=True):
        column.set_data_from_numpy(array)
    wanted = [module.InferRequestedOutput(name, **options) for name, options in outputs]
    with module.InferenceServerClient(f"{HOST}:{port}") as client:
        return client.infer("echo", inputs, outputs=wanted or None, **beside)


def compression(kind: str, coding: str) -> dict[str, str]:
    """How each client is told to compress, and to ask for compressed answers."""
    if kind == "grpc":
        return {"compression_algorithm": coding}
    return {"request_compression_algorithm": coding, "response_compression_algorithm": coding}


def check(answer: Any, *names: str) -> None:
    """These rows came back."""
    for name in names:
        # Texts of JSON are texts to the client, and bytes where they were binary.
        came = [one.encode() if isinstance(one, str) else one for one in answer.as_numpy(name).tolist()]
        assert came == ARRAYS[name][1].tolist()


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("case", GOOD)
def test_what_it_can_say_is_understood(echo: ServerProcess, kind: str, case: str) -> None:
    """Priorities, sequences, timeouts, headers and parameters of every kind are taken by both protocols."""
    # A copy: the HTTP client writes into the headers that it is given.
    answer = ask(echo, kind, [], **copy.deepcopy(GOOD[case]))
    check(answer, *ARRAYS)
    response = answer.get_response()
    answered = response["id"] if kind == "http" else response.id
    assert answered == GOOD[case].get("request_id", answered) != ""


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_it_may_compress(echo: ServerProcess, kind: str, coding: str) -> None:
    """Compressed requests are read; answers come as they are."""
    check(ask(echo, kind, [("ids", {}), ("names", {})], **compression(kind, coding)), "ids", "names")


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("place", ["classification", "shared memory"])
def test_answers_that_are_not_offered_are_refused(echo: ServerProcess, kind: str, place: str) -> None:
    """Classes or shared memory instead of tensors are a clear refusal, not an answer of another kind."""
    module: Any = tritonclient.http if kind == "http" else tritonclient.grpc
    output = module.InferRequestedOutput("ids", class_count=2 if place == "classification" else 0)
    if place == "shared memory":
        output.set_shared_memory("region", 16)
    port = echo.rest_port if kind == "http" else echo.grpc_port
    column = module.InferInput("ids", [2], "INT64")
    column.set_shared_memory("region", 16)
    with module.InferenceServerClient(f"{HOST}:{port}") as client:
        with pytest.raises(InferenceServerException, match="not offered"):
            client.infer("echo", [column])
        with pytest.raises(InferenceServerException, match="is not offered, outputs come"):
            client.infer("echo", [_filled(module, name) for name in ARRAYS], outputs=[output])


def _filled(module: Any, name: str) -> Any:
    datatype, array = ARRAYS[name]
    column = module.InferInput(name, array.shape, datatype)
    column.set_data_from_numpy(array)
    return column


@pytest.mark.parametrize("binary", [True, False, None])
def test_each_output_of_rest_comes_as_it_was_asked_for(echo: ServerProcess, *, binary: bool | None) -> None:
    """As a binary tensor, as JSON, or as the client's own default, mixed with the other."""
    options = {} if binary is None else {"binary_data": binary}
    answer = ask(echo, "http", [("ids", options), ("names", {"binary_data": binary is False})])
    check(answer, "ids", "names")
    ids = answer.get_output("ids")
    assert ("data" in ids) == (binary is False)
