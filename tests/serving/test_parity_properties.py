"""Whatever a request asks for, every form of it is understood as the same, or refused in all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.errors import InvalidTensors
from contract.tensors import NUMPY_DTYPES, TensorSpec
from serving.tensor_contract import TensorContract, V2Request
from serving.v2_json import decode_request
from serving.v2_message import decode_message
from tests.serving.one_request import Request, Tensor

DATATYPES = ("BOOL", "UINT8", "UINT64", "INT16", "INT64", "FP16", "FP32", "FP64", "BYTES")
SPECS = tuple(TensorSpec(name.lower(), name, (-1, 2), required=name == "FP32") for name in DATATYPES)
CONTRACT = TensorContract("echo", SPECS, SPECS)
NAMES = st.sampled_from([spec.name for spec in SPECS]) | st.sampled_from(["", "FP32", "x"])

KNOWN = (
    "binary_data",
    "binary_data_output",
    "classification",
    "shared_memory_region",
    "priority",
    "sequence_id",
    "timeout",
    "headers",
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
VALUE = (
    st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
PARAMETERS = st.dictionaries(st.sampled_from(KNOWN) | TEXT, VALUE, max_size=3) | st.just({})
INPUT_PARAMETERS = PARAMETERS.map(lambda found: {k: v for k, v in found.items() if k != "binary_data_size"})


def _value(datatype: str) -> st.SearchStrategy[Any]:
    dtype = NUMPY_DTYPES[datatype]
    if datatype == "BYTES":
        return TEXT
    if datatype == "BOOL":
        return st.booleans()
    if dtype.kind == "f":
        return st.floats(width=dtype.itemsize * 8, allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]
    limits = np.iinfo(dtype)
    return st.integers(int(limits.min), int(limits.max))


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """An input, in one of a few cases not as declared."""
    datatype = draw(st.sampled_from(DATATYPES))
    rows = draw(st.integers(0, 3))
    values = draw(st.lists(_value(datatype), min_size=2 * rows, max_size=2 * rows))
    shape = draw(st.sampled_from([[rows, 2]] * 6 + [[2 * rows], [rows + 1, 2], [-rows, 2], [rows, 2, 1]]))
    name = draw(st.sampled_from([datatype.lower()] * 8 + ["x", "fp32"]))
    return Tensor(name, datatype, shape, values, draw(INPUT_PARAMETERS))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request of any parts, in most cases with the one tensor that it needs."""
    needed = Tensor("fp32", "FP32", [1, 2], [0.5, 1.0])
    more = draw(st.lists(tensors(), max_size=3))
    return Request(
        tensors=more if draw(st.integers(0, 9)) == 0 else [needed, *more],
        parameters=draw(PARAMETERS),
        outputs=draw(st.lists(st.tuples(NAMES, PARAMETERS), max_size=3)),
        request_id=draw(TEXT),
        nulls=draw(st.booleans()),
    )


def _rest(form: tuple[bytes, dict[str, str]]) -> V2Request | None:
    body, headers = form
    length = headers.get("inference-header-content-length")
    try:
        return decode_request(body, None if length is None else int(length), CONTRACT)
    except InvalidTensors:
        return None


def _grpc(message: Any) -> V2Request | None:
    try:
        return decode_message(message, CONTRACT)
    except InvalidTensors:
        return None


def _meaning(request: V2Request | None) -> Any:
    if request is None:
        return None
    arrays = {name: (array.dtype, array.shape, array.tolist()) for name, array in request.inputs.items()}
    kinds = {name: (type(value), value) for name, value in request.parameters.items()}
    return arrays, [output.spec.name for output in request.outputs], kinds, request.request_id


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests())
def test_every_form_of_a_request_means_the_same(request: Request) -> None:
    """Inputs, outputs, parameters with their kinds, and id are the same, whatever is null or left out."""
    typed = request.typed()
    found = [_rest(request.json()), _rest(request.binary()), _grpc(request.raw())]
    found += [_grpc(typed)] if typed is not None else []
    meanings = [_meaning(one) for one in found]
    assert all(meaning == meanings[0] for meaning in meanings), meanings
