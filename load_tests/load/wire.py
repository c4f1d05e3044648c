"""Requests as bytes, and what is in an answer; no network here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tritonclient.grpc import service_pb2

from contract.byte_strings import packed, texts_in
from contract.tensors import (
    ANSWERS,
    DOMAIN,
    LEXICAL_ONLY,
    MODEL_VERSION_PARAMETER,
    RISK_MODEL,
    RISK_SCORE,
    SCORED_STATUSES,
    STATUS,
)


class UnusableAnswer(Exception):
    """An answer of success that does not hold what was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says of its names."""

    version: str
    """of the model; "" where it does not say"""
    lexical: int
    """names scored by their spelling alone, as the predictor was away"""
    unscored: int
    """names that could not be scored, by what `status` says"""


def json_request(names: Sequence[str], answers: Sequence[str] | None) -> bytes:
    """A v2 request body."""
    tensors = [_json_tensor(DOMAIN, names)]
    if answers is not None:
        tensors.append(_json_tensor(ANSWERS, answers))
    return orjson.dumps({"inputs": tensors, "outputs": [{"name": RISK_SCORE.name}, {"name": STATUS.name}]})


def _json_tensor(spec: Any, values: Sequence[str]) -> dict[str, object]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": [len(values)], "data": values}


def grpc_request(names: Sequence[str], answers: Sequence[str] | None) -> bytes:
    """A serialised ModelInferRequest."""
    message = service_pb2.ModelInferRequest(model_name=RISK_MODEL)
    for spec, values in ((DOMAIN, names), (ANSWERS, answers)):
        if values is not None:
            message.inputs.add(name=spec.name, datatype=spec.datatype, shape=[len(values)])
            message.raw_input_contents.append(packed(values))
    for name in (RISK_SCORE.name, STATUS.name):
        message.outputs.add(name=name)
    return message.SerializeToString()


def read_json(body: bytes, names: int) -> Answer:
    """The answer in a v2 response body.

    Raises:
        UnusableAnswer: no JSON, no status, or not one for each name.
    """
    try:
        document = orjson.loads(body)
        [statuses] = [tensor["data"] for tensor in document["outputs"] if tensor["name"] == STATUS.name]
        version = document.get("parameters", {}).get(MODEL_VERSION_PARAMETER, "")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnusableAnswer("no v2 response with a status") from None
    return _answer(statuses, names, str(version))


def read_grpc(message: bytes, names: int) -> Answer:
    """The answer in a serialised ModelInferResponse.

    Raises:
        UnusableAnswer: no such message, no status, or not one for each name.
    """
    try:
        response = service_pb2.ModelInferResponse.FromString(message)
        [place] = [place for place, output in enumerate(response.outputs) if output.name == STATUS.name]
        statuses = texts_in(response.raw_output_contents[place])
    except (DecodeError, ValueError, IndexError):
        raise UnusableAnswer("no ModelInferResponse with a status") from None
    return _answer(statuses, names, response.parameters[MODEL_VERSION_PARAMETER].string_param)


def _answer(statuses: Sequence[str], names: int, version: str) -> Answer:
    if len(statuses) != names:
        raise UnusableAnswer(f"{len(statuses)} rows for {names} names")
    lexical = sum(status.startswith(LEXICAL_ONLY) for status in statuses)
    scored = sum(status.startswith(SCORED_STATUSES) for status in statuses)
    return Answer(version, lexical, names - scored)
