"""Requests that break the predictor's contract: the documented refusal, the same on both protocols."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from contract.feature_schema import DOMAIN_NODE, FEATURE_SCHEMA, IP_NODE, MAX_NAME_LENGTH, NODE_FEATURES
from contract.graphs import GRAPH_INPUTS, union
from contract.tensors import SCHEMA_PARAMETER
from tests.graphs import random_graph, random_graphs
from tests.predictor.graph_requests import Client, GraphRequest, Tensor, request_for

pytestmark = pytest.mark.every_front

FEATURES = len(NODE_FEATURES)
INT64 = np.iinfo(np.int64)
RNG = np.random.default_rng(3)
# Three graphs with edges each, so that every tensor has something to break.
GOOD = request_for(union([random_graph(RNG, 8, 12) for _ in range(3)]))
Change = Callable[[GraphRequest], None]


def _set(name: str, place: tuple[int, ...], value: float) -> Change:
    def change(request: GraphRequest) -> None:
        array = request.array(name)
        array[place] = value
        request.put(name, array)

    return change


def _shape(name: str, *shape: int) -> Change:
    def change(request: GraphRequest) -> None:
        request[name].shape = list(shape)

    return change


def _shorter(name: str, axis: int = 0) -> Change:
    def change(request: GraphRequest) -> None:
        array = request.array(name)
        request.put(name, array.take(range(array.shape[axis] - 1), axis))

    return change


def _longer(name: str) -> Change:
    def change(request: GraphRequest) -> None:
        array = request.array(name)
        request.put(name, np.concatenate([array, array[-1:]]))

    return change


def _truncated(name: str) -> Change:
    def change(request: GraphRequest) -> None:
        request[name].raw = request[name].raw[:-1]

    return change


def _missing(name: str) -> Change:
    def change(request: GraphRequest) -> None:
        request.tensors.remove(request[name])

    return change


def _datatype(name: str, datatype: str) -> Change:
    def change(request: GraphRequest) -> None:
        request[name].datatype = datatype

    return change


def _extra(request: GraphRequest) -> None:
    request.tensors.append(Tensor("weights", "FP32", [1], bytes(4)))


def _twice(request: GraphRequest) -> None:
    request.tensors.append(request["node_type"])


def _unknown_output(request: GraphRequest) -> None:
    request.outputs = ("logits",)


def _no_graphs(request: GraphRequest) -> None:
    for spec in GRAPH_INPUTS:
        request.put(spec.name, np.zeros([max(axis, 0) for axis in spec.shape], spec.dtype))
    for name in ("name_offsets", "node_offsets", "edge_offsets"):
        request.put(name, np.zeros(1, np.int64))


def _no_offsets(request: GraphRequest) -> None:
    request.put("node_offsets", np.zeros(0, np.int64))


def _swapped_offsets(request: GraphRequest) -> None:
    offsets = request.array("node_offsets")
    offsets[[1, 2]] = offsets[[2, 1]]
    request.put("node_offsets", offsets)


def _empty_graph(request: GraphRequest) -> None:
    offsets = request.array("node_offsets")
    offsets[1] = offsets[2]
    request.put("node_offsets", offsets)


def _edge_into_the_next_graph(request: GraphRequest) -> None:
    edges = request.array("edge_index")
    edges[1, 0] = request.array("node_offsets")[1]
    request.put("edge_index", edges)


def _target_of_the_next_graph(request: GraphRequest) -> None:
    targets = request.array("target_nodes")
    targets[0] = request.array("node_offsets")[1]
    request.put("target_nodes", targets)


def _long_name(request: GraphRequest) -> None:
    nodes = len(request.array("node_type"))
    lengths = np.zeros(nodes, np.int64)
    lengths[0] = MAX_NAME_LENGTH + 1
    request.put("name_bytes", np.full(MAX_NAME_LENGTH + 1, ord("a"), np.uint8))
    request.put("name_offsets", np.concatenate([[0], np.cumsum(lengths)]))
    request.put("name_parts", np.zeros((nodes, 2), np.int64))


def _named_host(request: GraphRequest) -> None:
    lengths = np.diff(request.array("name_offsets"))
    types = request.array("node_type")
    types[np.flatnonzero((lengths > 0) & (types == DOMAIN_NODE))[0]] = IP_NODE
    request.put("node_type", types)


def _no_schema(request: GraphRequest) -> None:
    request.parameters = {}


def _numeric_schema(request: GraphRequest) -> None:
    request.parameters = {SCHEMA_PARAMETER: 7}


def _other_schema(request: GraphRequest) -> None:
    request.parameters = {SCHEMA_PARAMETER: "0123456789abcdef"}


BROKEN: dict[str, tuple[Change, str]] = {
    "unknown input": (_extra, "input 'weights': dns-risk has no such input"),
    "repeated input": (_twice, "input node_type: given twice"),
    "unknown output": (_unknown_output, "output 'logits': dns-risk has no such output"),
    "no graphs": (_no_graphs, "target_nodes: expected at least one graph, got none"),
    "no offsets": (_no_offsets, "node_offsets: expected length 4 (graphs + 1), got 0"),
    "FP64 features": (_datatype("node_features", "FP64"), "expected datatype FP32, got 'FP64'"),
    "INT32 edges": (_datatype("edge_index", "INT32"), "expected datatype INT64, got 'INT32'"),
    "BYTES names": (_datatype("name_bytes", "BYTES"), "expected datatype UINT8, got 'BYTES'"),
    "made-up datatype": (_datatype("edge_type", "INT128"), "expected datatype INT64, got 'INT128'"),
    "flat features": (
        _shape("node_features", 24 * FEATURES),
        f"node_features: expected shape [-1, {FEATURES}]",
    ),
    "feature count": (
        _shape("node_features", FEATURES, 24),
        f"node_features: expected shape [-1, {FEATURES}]",
    ),
    "three-row edges": (_shape("edge_index", 3, 24), "edge_index: expected shape [2, -1], got [3, 24]"),
    "scalar": (_shape("target_nodes"), "target_nodes: expected shape [-1], got []"),
    "negative axis": (_shape("node_type", -24), "node_type: expected shape [-1], got [-24]"),
    "huge axis": (_shape("node_type", 2**62), "expected 36893488147419103232 bytes"),
    "fewer node types": (_shorter("node_type"), "node_features: expected length 23"),
    "fewer edge types": (_shorter("edge_type"), "edge_index: expected length 35"),
    "fewer edges": (_shorter("edge_index", 1), "edge_index: expected length 36"),
    "fewer targets": (_shorter("target_nodes"), "node_offsets: expected length 3 (graphs + 1), got 4"),
    "more node offsets": (_longer("node_offsets"), "node_offsets: expected length 4 (graphs + 1), got 5"),
    "more name offsets": (_longer("name_offsets"), "name_offsets: expected length 25 (nodes + 1), got 26"),
    "fewer name bytes": (_shorter("name_bytes"), "name_offsets: expected to run from 0 to"),
    "offsets from 1": (_set("node_offsets", (0,), 1), "node_offsets: expected to run from 0"),
    "offsets past the end": (_set("edge_offsets", (-1,), 37), "edge_offsets: expected to run from 0"),
    "offsets out of order": (_swapped_offsets, "node_offsets: expected strictly ascending"),
    "graph without nodes": (_empty_graph, "node_offsets: expected strictly ascending"),
    "negative offset": (_set("edge_offsets", (1,), -5), "edge_offsets: expected ascending, got 0 before -5"),
    "lowest offset": (_set("node_offsets", (1,), INT64.min), f"got 0 before {INT64.min}"),
    "highest offset": (_set("edge_offsets", (1,), INT64.max), f"got {INT64.max} before"),
    "lowest name offset": (_set("name_offsets", (1,), INT64.min), f"got 0 before {INT64.min}"),
    "edge out of range": (_set("edge_index", (0, 0), 24), "edge_index: expected values in [0, 8), got 24"),
    "lowest edge": (_set("edge_index", (1, 35), INT64.min), "edge_index: expected values in [16, 24)"),
    "edge between graphs": (_edge_into_the_next_graph, "edge_index: expected values in [0, 8), got 8"),
    "target out of range": (_set("target_nodes", (2,), 24), "target_nodes: expected values in [16, 24)"),
    "target of another graph": (_target_of_the_next_graph, "target_nodes: expected values in [0, 8), got 8"),
    "lowest target": (_set("target_nodes", (0,), INT64.min), "target_nodes: expected values in [0, 8)"),
    "node type": (_set("node_type", (3,), 3), "node_type: expected values in [0, 3), got 3 at [3]"),
    "edge type": (_set("edge_type", (0,), -1), "edge_type: expected values in [0, 9), got -1"),
    "name longer than any": (_long_name, "expected names of at most 253 bytes, got 254 at node 0"),
    "address with a name": (_named_host, "expected names on domain nodes only"),
    "parts past the name": (_set("name_parts", (0, 1), 99), "name_parts: expected 0 <= label <= suffix"),
    "parts below zero": (_set("name_parts", (0, 0), INT64.min), "name_parts: expected 0 <= label"),
    "no schema": (_no_schema, f"parameter 'feature_schema': expected '{FEATURE_SCHEMA}', got none"),
}
UNSAYABLE_IN_JSON: dict[str, tuple[Change, str]] = {
    "truncated features": (_truncated("node_features"), f"expected {24 * FEATURES * 4} bytes for FP32"),
    "truncated edges": (_truncated("edge_index"), "expected 576 bytes for INT64"),
    "NaN": (_set("node_features", (2, 5), np.nan), "expected finite values, got nan at [2, 5]"),
    "infinity": (_set("node_features", (0, 0), -np.inf), "expected finite values, got -inf at [0, 0]"),
}
for spec in GRAPH_INPUTS:
    BROKEN[f"missing {spec.name}"] = (_missing(spec.name), f"input {spec.name}: missing")
EVERY = BROKEN | UNSAYABLE_IN_JSON


@pytest.mark.parametrize("case", EVERY)
def test_broken_requests_are_refused_alike(client: Client, case: str) -> None:
    """What breaks the contract is INVALID_ARGUMENT and 400, and both say the same of it."""
    change, reason = EVERY[case]
    request = GOOD.copy()
    change(request)
    refused = client.grpc(request.message())
    assert refused.code == "INVALID_ARGUMENT", refused
    assert reason in refused.reason
    status, document = client.rest(*request.binary())
    assert (status, document["error"]) == (400, refused.reason)


@pytest.mark.parametrize("case", BROKEN)
def test_broken_json_is_refused_alike(client: Client, case: str) -> None:
    """The same requests in JSON are 400 with the tensor named."""
    change, reason = BROKEN[case]
    request = GOOD.copy()
    change(request)
    status, document = client.rest(json.dumps(request.document()).encode())
    assert status == 400
    # JSON counts elements where raw contents count bytes.
    assert reason in document["error"] or "elements" in document["error"]


@pytest.mark.parametrize("change", [_other_schema, _numeric_schema], ids=["other", "not even text"])
def test_features_of_another_schema_are_refused(client: Client, change: Change) -> None:
    """Old features never meet a new model: FAILED_PRECONDITION and 409, which say both hashes."""
    request = GOOD.copy()
    change(request)
    refused = client.grpc(request.message())
    assert refused.code == "FAILED_PRECONDITION"
    assert FEATURE_SCHEMA in refused.reason
    assert repr(request.parameters[SCHEMA_PARAMETER]) in refused.reason
    status, document = client.rest(*request.binary())
    assert (status, document["error"]) == (409, refused.reason)


@pytest.mark.parametrize(
    ("graphs", "nodes", "edges", "reason"),
    [
        (513, 1, 0, "expected at most 512 graphs a request, got 513"),
        (1, 2, 262_145, "expected at most 262144 edges a request, got 262145"),
    ],
)
def test_requests_over_the_budget_are_refused(
    client: Client, graphs: int, nodes: int, edges: int, reason: str
) -> None:
    """More graphs or edges than one batch may hold is a bad request, not an overload."""
    request = request_for(random_graphs(np.random.default_rng(0), graphs, nodes, edges))
    refused = client.grpc(request.message())
    assert refused.code == "INVALID_ARGUMENT"
    assert reason in refused.reason
    assert client.rest(*request.binary()) == (400, {"error": refused.reason})


def test_ten_megabytes_are_refused(client: Client) -> None:
    """A body over the limit is 413 and RESOURCE_EXHAUSTED, on every path, and the connection lives on."""
    request = GOOD.copy()
    request.put("name_bytes", np.full(10_000_000, 97, np.uint8))
    assert client.grpc(request.message()).code == "RESOURCE_EXHAUSTED"
    assert client.rest(*request.binary())[0] == 413
    assert client.rest(b'{"inputs": [' + b" " * 10_000_000)[0] == 413
    assert client.grpc(GOOD.message()).code == "OK"
    assert client.rest(*GOOD.binary())[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'"inputs"',
        b'{"inputs": "\xff\xfe"}',
        b"\xc3\x28" * 50,
        b'{"inputs": {"node_type": [1]}}',
        b'{"inputs": [[]]}',
        b'{"inputs": [{"name": 7}]}',
        b'{"inputs": [{"name": "node_type", "datatype": "INT64", "shape": [1], "data": [NaN]}]}',
        b'{"inputs": [{"name": "node_type", "datatype": "INT64", "shape": [1], "data": [1e400]}]}',
        b'{"inputs": [{"name": "node_type", "datatype": "INT64", "shape": [1], "data": [9223372036854775808]}]}',
        b'{"inputs": [{"name": "node_type", "datatype": "INT64", "shape": [1], "data": ["1"]}]}',
        b'{"inputs": [{"name": "node_type", "datatype": "INT64", "shape": "1", "data": [1]}]}',
        b'{"inputs": [{"name": "node_type", "datatype": "INT64", "shape": [1e3], "data": [1]}]}',
        b"[" * 100_000,
    ],
)
def test_bodies_that_are_no_request_are_refused(client: Client, body: bytes) -> None:
    """Anything that is no v2 request in UTF-8 JSON is 400 with a reason."""
    status, document = client.rest(body)
    assert status == 400
    assert document["error"]


@pytest.mark.parametrize("length", ["0", "-1", "x", "99999999", "9" * 400, ""])
def test_lying_json_lengths_are_refused(client: Client, length: str) -> None:
    """A JSON length that is none, or not of this body, is 400."""
    body, _ = GOOD.binary()
    assert client.rest(body, {"inference-header-content-length": length})[0] == 400


@pytest.mark.parametrize("size", [-1, 1 << 62, 1.5, "8", None, True])
def test_lying_binary_sizes_are_refused(client: Client, size: object) -> None:
    """A binary size that is none, or more than the body holds, is 400."""
    body, headers = GOOD.binary()
    head_length = int(headers["inference-header-content-length"])
    document = json.loads(body[:head_length])
    document["inputs"][0]["parameters"]["binary_data_size"] = size
    head = json.dumps(document).encode()
    status, _ = client.rest(head + body[head_length:], {"inference-header-content-length": str(len(head))})
    assert status == 400


def test_a_refusal_leaves_no_trace(client: Client) -> None:
    """The good request scores as before a bad one."""
    before = client.grpc(GOOD.message())
    request = GOOD.copy()
    _extra(request)
    client.grpc(request.message())
    assert client.grpc(GOOD.message()).risk_score.tolist() == before.risk_score.tolist()
