"""Requests of a client for scores, over REST and gRPC, and their answers as columns."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
from tritonclient.grpc import service_pb2

from contract.tensors import CATEGORIES, CLIENT_OUTPUTS, RISK_MODEL

INFER = f"/v2/models/{RISK_MODEL}/infer"
PREDICT = f"/v1/models/{RISK_MODEL}:predict"
Columns = dict[str, Any]


def document(
    domains: Sequence[object], answers: Sequence[object] | None = None, **more: Any
) -> dict[str, Any]:
    """A v2 JSON request."""
    columns = {"domain": domains} | ({} if answers is None else {"answers": answers})
    inputs = [
        {"name": name, "datatype": "BYTES", "shape": [len(column)], "data": list(column)}
        for name, column in columns.items()
    ]
    return {"inputs": inputs} | more


def columns_of(answer: dict[str, Any]) -> Columns:
    """The outputs of a JSON answer by name, category_scores as rows of four."""
    columns = {output["name"]: output["data"] for output in answer["outputs"]}
    if "category_scores" in columns:
        columns["category_scores"] = np.reshape(columns["category_scores"], (-1, len(CATEGORIES))).tolist()
    return columns


def score(http: httpx.Client, domains: Sequence[str], answers: Sequence[str] | None = None) -> Columns:
    """Names scored over v2 JSON."""
    response = http.post(INFER, json=document(domains, answers))
    assert response.status_code == 200, response.text
    return columns_of(response.json())


def strings(values: Sequence[bytes]) -> bytes:
    """BYTES elements as they travel in raw contents."""
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def message(domains: Sequence[bytes], answers: Sequence[bytes] | None = None, *, raw: bool = True) -> Any:
    """A ModelInferRequest with raw or typed contents."""
    request = service_pb2.ModelInferRequest(model_name=RISK_MODEL)
    columns = {"domain": domains} | ({} if answers is None else {"answers": answers})
    for name, column in columns.items():
        tensor = request.inputs.add(name=name, datatype="BYTES", shape=[len(column)])
        if raw:
            request.raw_input_contents.append(strings(column))
        else:
            tensor.contents.bytes_contents.extend(column)
    return request


def columns_of_message(response: Any) -> Columns:
    """The outputs of a ModelInferResponse by name."""
    columns: Columns = {}
    specs = {spec.name: spec for spec in CLIENT_OUTPUTS}
    for output, content in zip(response.outputs, response.raw_output_contents, strict=True):
        spec = specs[output.name]
        assert output.datatype == spec.datatype
        if spec.datatype == "BYTES":
            columns[output.name] = _texts(content)
        else:
            columns[output.name] = np.frombuffer(content, spec.dtype).reshape(output.shape).tolist()
    return columns


def _texts(content: bytes) -> list[str]:
    texts, place = [], 0
    while place < len(content):
        (length,) = struct.unpack_from("<I", content, place)
        texts.append(content[place + 4 : place + 4 + length].decode())
        place += 4 + length
    return texts


def same(one: Columns, other: Columns) -> None:
    """Equal, scores within what batching may change."""
    assert one.keys() == other.keys()
    for name, column in one.items():
        if name in {"risk_score", "name_score", "category_scores"}:
            np.testing.assert_allclose(column, other[name], atol=1e-5)
        else:
            assert column == other[name], name
