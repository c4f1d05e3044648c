"""Requests that break the REST contract, sent to a real server."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.serving.v2_requests import INFER, and_input, document, strings, with_input

BAD_DOCUMENTS: dict[str, tuple[Any, str]] = {
    "not an object": ([1], "expected the body to be a JSON object, got list"),
    "null": (None, "JSON object, got NoneType"),
    "no inputs": ({}, "inputs: expected an array of objects"),
    "inputs null": (document(inputs=None), "inputs: expected an array of objects"),
    "inputs of numbers": (document(inputs=[1]), "inputs: expected an array of objects"),
    "no tensors": (document(inputs=[]), "input values: missing"),
    "unknown input": (document(inputs=[{"name": "x", "datatype": "FP32", "shape": [1]}]), "no such input"),
    "duplicate": (document(inputs=document()["inputs"] * 2), "input values: given twice"),
    "no name": (with_input("values", name=None), "expected name to be a string"),
    "name a number": (with_input("values", name=5), "expected name to be a string, got 5"),
    "no datatype": (with_input("values", datatype=None), "expected datatype to be a string"),
    "datatype": (with_input("values", datatype="FP64"), "expected datatype FP32, got 'FP64'"),
    "unheard datatype": (with_input("values", datatype="FP31"), "expected datatype FP32, got 'FP31'"),
    "no shape": (with_input("values", shape=None), "expected shape to be an array of integers"),
    "shape of text": (with_input("values", shape=["2", 2]), "expected shape to be an array of integers"),
    "shape of booleans": (with_input("values", shape=[True, 2]), "expected shape to be an array of integers"),
    "rank": (with_input("values", shape=[4]), "expected shape [-1, 2], got [4]"),
    "axis": (with_input("values", shape=[1, 4]), "expected shape [-1, 2], got [1, 4]"),
    "negative": (with_input("values", shape=[-2, 2]), "got [-2, 2]"),
    "huge": (with_input("values", shape=[2**62, 2]), "expected 9223372036854775808 elements"),
    "shape beyond 64 bit": (with_input("values", shape=[2**70, 2]), "expected shape to be an array"),
    "too few": (with_input("values", data=[1, 2, 3]), "expected 4 elements for shape [2, 2], got 3"),
    "no data": (with_input("values", data=None), "expected data to be an array, got null"),
    "ragged": (with_input("values", data=[[1, 2], [3]]), "expected arrays of length 2 on axis 1"),
    "text for numbers": (with_input("values", data=["1", "2", "3", "4"]), "got a string at element 0"),
    "null in data": (with_input("values", data=[1, None, 3, 4]), "got null at element 1"),
    "boolean for integer": (with_input("ids", data=[1, True]), "got a boolean at element 1"),
    "fraction for integer": (with_input("ids", data=[1, 2.0]), "got a number with a fraction"),
    "integer too large": (with_input("ids", data=[1, 2**63]), "does not fit INT64"),
    "number for text": (with_input("names", data=["a", 1]), "got an integer at element 1"),
    "number too large": (with_input("values", data=[1, 2, 3, 1e39]), "does not fit FP32"),
    "UINT8 range": (and_input("UINT8", 0, 256), "256 at element 1 does not fit UINT8"),
    "unknown output": (document(outputs=[{"name": "x"}]), "output 'x': echo has no such output"),
    "output twice": (document(outputs=[{"name": "ids"}] * 2), "output ids: requested twice"),
    "outputs no list": (document(outputs={"name": "ids"}), "outputs: expected an array of objects"),
    "id a number": (document(id=5), "expected id to be a string, got 5"),
    "parameters a list": (document(parameters=[1]), "expected parameters to be an object"),
    "parameter nested": (document(parameters={"a": [1]}), "parameter 'a' is [1]"),
    "both data and size": (with_input("ids", parameters={"binary_data_size": 8}), "has both data and"),
    "size without bytes": (
        with_input("ids", data=None, parameters={"binary_data_size": 16}),
        "binary_data_size is 16, but 0 bytes are left",
    ),
    "negative size": (
        with_input("ids", data=None, parameters={"binary_data_size": -1}),
        "expected binary_data_size to be a byte count, got -1",
    ),
}


@pytest.mark.parametrize("case", BAD_DOCUMENTS)
def test_bad_documents_are_refused(http: httpx.Client, case: str) -> None:
    """Every way to break the contract in JSON is answered 400 with what is wrong."""
    content, reason = BAD_DOCUMENTS[case]
    answer = http.post(INFER, content=json.dumps(content))
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


BAD_BODIES = {
    "empty": b"",
    "cut off": json.dumps(document()).encode()[:-1],
    "invalid UTF-8": b'{"inputs": [{"name": "\xff"}]}',
    "lone surrogate": b'{"inputs": [{"name": "\\ud800"}]}',
    "NaN": json.dumps(with_input("values", data=[float("nan")] * 4)).encode(),
    "deep": b"[" * 100_000,
    "deep object": b'{"inputs":' * 50_000,
    "binary": bytes(range(256)),
    "form": b"inputs=1&outputs=2",
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_bodies_that_are_no_json_are_refused(http: httpx.Client, case: str) -> None:
    """What is no JSON, or cannot be, is answered 400."""
    answer = http.post(INFER, content=BAD_BODIES[case])
    assert answer.status_code == 400
    assert "not valid JSON" in answer.json()["error"]


def binary_post(
    http: httpx.Client, raw: bytes, size: object, json_length: str | None = None
) -> httpx.Response:
    """A request whose names are a binary tensor of this size, followed by these bytes."""
    request = with_input("names", data=None, parameters={"binary_data_size": size})
    head = json.dumps(request).encode()
    headers = {"inference-header-content-length": str(len(head)) if json_length is None else json_length}
    return http.post(INFER, content=head + raw, headers=headers)


GOOD_NAMES = strings(b"a", b"\xff\x00")


def test_binary_tensors_carry_any_bytes(http: httpx.Client) -> None:
    """BYTES that are not UTF-8 arrive by binary tensor; in JSON they leave escaped."""
    answer = binary_post(http, GOOD_NAMES, len(GOOD_NAMES))
    assert answer.json()["outputs"][2]["data"] == ["a", "\\xff\x00"]


@pytest.mark.parametrize(
    ("raw", "size", "json_length", "reason"),
    [
        (GOOD_NAMES[:-1], len(GOOD_NAMES), None, "bytes are left in the body"),
        (GOOD_NAMES, 1 << 60, None, "binary_data_size is 1152921504606846976, but 11 bytes are left"),
        (GOOD_NAMES, "11", None, "expected binary_data_size to be a byte count"),
        (GOOD_NAMES, True, None, "expected binary_data_size to be a byte count"),
        (GOOD_NAMES[:-1], len(GOOD_NAMES) - 1, None, "string 1 claims 2 bytes, 1 are left"),
        (GOOD_NAMES[:7], 7, None, "length-prefixed strings"),
        (GOOD_NAMES + b"x", len(GOOD_NAMES), None, "1 bytes of the body belong to no input"),
        (GOOD_NAMES, len(GOOD_NAMES), "99999", "its header announced 99999 of JSON"),
        (GOOD_NAMES, len(GOOD_NAMES), "-1", "expected a byte count, got '-1'"),
        (GOOD_NAMES, len(GOOD_NAMES), "ten", "expected a byte count, got 'ten'"),
        (GOOD_NAMES, len(GOOD_NAMES), "10", "not valid JSON"),
    ],
)
def test_broken_binary_tensors_are_refused(
    http: httpx.Client, raw: bytes, size: object, json_length: str | None, reason: str
) -> None:
    """Binary tensors cut off, overlong or with untrue sizes are answered 400."""
    answer = binary_post(http, raw, size, json_length)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_large_bodies_are_refused(http: httpx.Client) -> None:
    """10 MB are answered 413, announced, streamed or unpacked from little; the connection lives on."""
    body = b" " * 10_000_000
    packed = gzip.compress(body)
    answers = [
        http.post(INFER, content=body),
        http.post(INFER, content=iter([body[:100_000]] * 100)),
        http.post(INFER, content=packed, headers={"content-encoding": "gzip"}),
    ]
    for answer in answers:
        assert answer.status_code == 413
        assert "limit of 1048576 bytes" in answer.json()["error"]
    assert http.post(INFER, json=document()).status_code == 200
