from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from contract.errors import InvalidTensors
from contract.tensors import NUMPY_DTYPES, TensorSpec
from serving.raw_tensor import bytes_array, decode_raw, encode_raw

NAMES = TensorSpec("names", "BYTES", (-1,))
NUMERIC = sorted(set(NUMPY_DTYPES) - {"BYTES"})


@given(st.data(), st.sampled_from(NUMERIC))
def test_numbers_survive_the_wire(data: st.DataObject, datatype: str) -> None:
    """Decode ∘ encode is the identity for every numeric datatype and shape, bit for bit."""
    spec = TensorSpec("x", datatype, (-1, -1))
    array = data.draw(hnp.arrays(spec.dtype, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0)))
    decoded = decode_raw(spec, array.shape, encode_raw(spec, array))
    assert decoded.dtype == spec.dtype
    assert decoded.tobytes() == array.tobytes()


@given(st.lists(st.binary()))
def test_strings_survive_the_wire(values: list[bytes]) -> None:
    """Decode ∘ encode is the identity for any byte strings, trailing zeros and empty ones included."""
    raw = encode_raw(NAMES, bytes_array(values, [len(values)]))
    assert decode_raw(NAMES, [len(values)], raw).tolist() == values


@given(st.lists(st.binary(max_size=6), min_size=1), st.data())
def test_cut_strings_are_refused(values: list[bytes], data: st.DataObject) -> None:
    """Raw strings cut off at any byte are refused, never read beyond their end."""
    raw = encode_raw(NAMES, bytes_array(values, [len(values)]))
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(InvalidTensors, match="input names"):
        decode_raw(NAMES, [len(values)], raw[:cut])


@given(st.binary(max_size=64), st.integers(0, 8))
def test_any_bytes_are_strings_or_refused(raw: bytes, count: int) -> None:
    """Whatever bytes come, the result is that many strings or a refusal."""
    with contextlib.suppress(InvalidTensors):
        assert len(decode_raw(NAMES, [count], raw)) == count


def test_numbers_are_not_copied() -> None:
    """A numeric tensor is a view of the bytes that came."""
    assert not decode_raw(TensorSpec("x", "FP32", (-1,)), [2], bytes(8)).flags.owndata


@pytest.mark.parametrize(
    ("datatype", "shape", "raw", "reason"),
    [
        ("FP32", [2], bytes(7), "expected 8 bytes for FP32"),
        ("INT64", [1 << 60, 1 << 60], bytes(8), "expected 10633823966279326983230456482242756608 bytes"),
        ("BOOL", [2], b"\x01\x02", "BOOL bytes 0 or 1, got 2"),
        ("BYTES", [1 << 62], bytes(8), "length-prefixed strings"),
        ("BYTES", [1], b"\xff\xff\xff\xffab", "claims 4294967295 bytes, 2 are left"),
        ("BYTES", [1], bytes(5), "1 bytes too many"),
    ],
)
def test_wrong_lengths_are_refused(datatype: str, shape: list[int], raw: bytes, reason: str) -> None:
    """Bytes that do not fit their shape are refused with what was expected, before anything is allocated."""
    with pytest.raises(InvalidTensors, match=reason):
        decode_raw(TensorSpec("x", datatype, (-1,) * len(shape)), shape, raw)
