from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import service_pb2 as messages

from contract.feature_schema import FEATURE_SCHEMA
from contract.graphs import GRAPH_INPUTS, GRAPH_OUTPUTS, DomainGraphs
from contract.tensors import RISK_MODEL, SCHEMA_PARAMETER
from predictor.raw_graphs import joined
from predictor.scorer import Scores
from predictor.wire import AnswerWriter, GraphRequests
from serving.model import InferAnswer, InferCall, RiskModel
from tests.graphs import random_graphs

GRAPHS = random_graphs(np.random.default_rng(21), 7)


class Described(RiskModel):
    """A model that is only known by its declaration."""

    async def infer(self, call: InferCall) -> InferAnswer:
        raise NotImplementedError


MODEL = Described(RISK_MODEL, "3", GRAPH_INPUTS, GRAPH_OUTPUTS)
REQUESTS = GraphRequests(MODEL, {SCHEMA_PARAMETER: FEATURE_SCHEMA}, messages)


def request(graphs: DomainGraphs = GRAPHS) -> Any:
    """A message as tritonclient and the transformer write it."""
    arrays = graphs.tensors()
    message = messages.ModelInferRequest(model_name=RISK_MODEL)
    for spec in GRAPH_INPUTS:
        message.inputs.add(name=spec.name, datatype=spec.datatype, shape=arrays[spec.name].shape)
        message.raw_input_contents.append(arrays[spec.name].tobytes())
    message.parameters[SCHEMA_PARAMETER].string_param = FEATURE_SCHEMA
    return message


@pytest.mark.parametrize(("version", "request_id"), [("", ""), ("3", "a"), ("", "x" * 300)])
@pytest.mark.parametrize("count", [1, 200])
def test_a_request_is_recognised(version: str, request_id: str, count: int) -> None:
    """With or without version and id, of one graph or many, it is taken apart as it was put together."""
    graphs = random_graphs(np.random.default_rng(count), count)
    message = request(graphs)
    message.model_version, message.id = version, request_id
    recognised = REQUESTS.recognise(message.SerializeToString())
    assert recognised is not None
    raw, given_id = recognised
    assert given_id == request_id
    for name, array in joined([raw]).tensors().items():
        np.testing.assert_array_equal(array, graphs.tensors()[name])


def change(message: Any, what: str) -> None:  # noqa: C901 - a table of changes
    """Make a request one that the general path must read."""
    if what == "model":
        message.model_name = "another"
    elif what == "version":
        message.model_version = "9"
    elif what == "schema":
        message.parameters[SCHEMA_PARAMETER].string_param = "0"
    elif what == "no schema":
        del message.parameters[SCHEMA_PARAMETER]
    elif what == "parameter":
        message.parameters["another"].bool_param = True
    elif what == "outputs":
        message.outputs.add(name="risk_score")
    elif what == "order":
        first, second = message.inputs[0], message.inputs[1]
        copy = type(first)()
        copy.CopyFrom(first)
        first.CopyFrom(second)
        second.CopyFrom(copy)
    elif what == "datatype":
        message.inputs[1].datatype = "UINT64"
    elif what == "shape":
        message.inputs[0].shape[0] += 1
    elif what == "contents":
        message.inputs[0].contents.fp32_contents.append(1.0)
    else:
        message.inputs[2].parameters["another"].bool_param = True


CHANGES = (
    "model", "version", "schema", "no schema", "parameter", "outputs", "order", "datatype", "shape", "contents",
    "input parameter",
)  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_differs_is_left_to_the_general_path(what: str) -> None:
    """Refusals, and requests that are fine but written otherwise, are read in full."""
    message = request()
    change(message, what)
    assert REQUESTS.recognise(message.SerializeToString()) is None


@pytest.mark.parametrize("raw", [b"", b"\xff\xff", b"\x0a\x08dns-risk"])
def test_bytes_that_are_no_request_are_left_to_the_general_path(raw: bytes) -> None:
    """It says what is wrong with them."""
    assert REQUESTS.recognise(raw) is None
    assert REQUESTS.recognise(request().SerializeToString() + raw + b"\x50\x01") is None


@pytest.mark.parametrize("count", [1, 3, 500])
def test_an_answer_from_the_template_is_the_answer(count: int) -> None:
    """Parsed, it has the model, the parameters and all outputs; an id may be appended."""
    rng = np.random.default_rng(count)
    categories = rng.random((count, 4), dtype=np.float32)
    writer = AnswerWriter(MODEL, {"model_version": "3", "block_threshold": 0.5}, messages)
    risk, alone = categories[:, 0].copy(), categories[:, 1].copy()
    whole = writer.message(Scores(categories, risk, alone))
    answer = messages.ModelInferResponse.FromString(whole + b"\x1a\x02id")
    assert (answer.model_name, answer.model_version, answer.id) == (RISK_MODEL, "3", "id")
    assert [(output.name, list(output.shape)) for output in answer.outputs] == [
        ("category_scores", [count, 4]),
        ("risk_score", [count]),
        ("name_score", [count]),
    ]
    assert answer.parameters["block_threshold"].double_param == 0.5
    assert answer.raw_output_contents[0] == categories.tobytes()
    assert list(answer.raw_output_contents[1:]) == [risk.tobytes(), alone.tobytes()]
