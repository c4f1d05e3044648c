from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from contract.errors import InvalidTensors, ScoringFailed
from contract.tensors import TensorSpec
from serving.json_tensor import decode_json, encode_json
from serving.raw_tensor import bytes_array

NUMERIC = (
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "FP32",
    "FP64",
)


def finite(datatype: str) -> st.SearchStrategy[np.ndarray]:
    """Matrices of finite values."""
    dtype = TensorSpec("x", datatype, ()).dtype
    elements = hnp.from_dtype(dtype, allow_nan=False, allow_infinity=False)
    return hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1), elements=elements)


@given(st.data(), st.sampled_from(NUMERIC))
def test_numbers_survive_json_flat_and_nested(data: st.DataObject, datatype: str) -> None:
    """Decode ∘ parse ∘ dump ∘ encode is the identity for every datatype; flat and nested mean the same."""
    spec = TensorSpec("x", datatype, (-1, -1))
    array = data.draw(finite(datatype))
    flat = orjson.loads(orjson.dumps(encode_json(spec, array), option=orjson.OPT_SERIALIZE_NUMPY))
    nested = np.reshape(np.array(flat, object), array.shape).tolist()
    for form in (flat, nested):
        decoded = decode_json(spec, array.shape, form)
        assert decoded.dtype == spec.dtype
        assert decoded.tolist() == array.tolist()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_text_survives_json(texts: list[str]) -> None:
    """Any text comes back as it was sent, as UTF-8 bytes inside."""
    spec = TensorSpec("names", "BYTES", (-1,))
    array = decode_json(spec, [len(texts)], texts)
    assert array.tolist() == [text.encode() for text in texts]
    assert encode_json(spec, array) == texts


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "reason"),
    [
        ("FP32", [1], ["1.5"], "expected FP32 elements, got a string at element 0"),
        ("FP32", [2], [1, None], "got null at element 1"),
        ("FP32", [1], [True], "got a boolean"),
        ("FP32", [1], [1e39], "1e\\+39 at element 0 does not fit FP32"),
        ("FP16", [2], [1, 65536], "65536 at element 1 does not fit FP16"),
        ("INT64", [1], [1.0], "got a number with a fraction"),
        ("INT64", [2], [1, True], "got a boolean at element 1"),
        ("INT64", [1], [1 << 63], "does not fit INT64"),
        ("UINT64", [1], [-1], "-1 at element 0 does not fit UINT64"),
        ("UINT8", [3], [0, 255, 256], "256 at element 2 does not fit UINT8"),
        ("BOOL", [1], [1], "expected BOOL elements, got an integer"),
        ("BYTES", [1], [7], "expected BYTES elements, got an integer"),
        ("BYTES", [1], [{}], "got an object"),
        ("FP32", [3], [1, 2], "expected 3 elements for shape \\[3\\], got 2"),
        ("FP32", [1 << 62], [1], "expected 4611686018427387904 elements"),
        ("FP32", [2, 2], [[1, 2], [3]], "arrays of length 2 on axis 1"),
        ("FP32", [2, 2], [[1, 2], 3], "arrays of length 2 on axis 1"),
        ("FP32", [2, 2], [[[1], [2]], [[3], [4]]], "expected FP32 elements, got an array"),
        ("FP32", [1], None, "expected data to be an array, got null"),
        ("FP32", [1], "text", "expected data to be an array, got a string"),
        ("FP32", [1], {"0": 1}, "expected data to be an array, got an object"),
    ],
)
def test_data_of_another_kind_is_refused(datatype: str, shape: list[int], data: Any, reason: str) -> None:
    """What numpy would quietly convert or wrap is refused, with the element that is wrong."""
    with pytest.raises(InvalidTensors, match=f"input x: .*{reason}|input x: {reason}"):
        decode_json(TensorSpec("x", datatype, (-1,) * len(shape)), shape, data)


def test_integers_are_numbers() -> None:
    """JSON writes 1.0 as 1 as often as not, so integers are floats where floats are wanted."""
    assert decode_json(TensorSpec("x", "FP32", (-1,)), [2], [1, 2.5]).tolist() == [1, 2.5]


def test_nothing_infinite_leaves_as_json() -> None:
    """A model that answers NaN failed; JSON would make it null."""
    with pytest.raises(ScoringFailed, match="output x"):
        encode_json(TensorSpec("x", "FP32", (-1,)), np.array([np.nan], np.float32))


def test_bytes_beyond_utf8_leave_escaped() -> None:
    """Bytes that JSON cannot carry are readable, not an error."""
    spec = TensorSpec("names", "BYTES", (-1,))
    assert encode_json(spec, bytes_array([b"a\xff"], [1])) == ["a\\xff"]
