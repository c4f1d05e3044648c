"""What hypothesis makes of good requests: damaged documents, tensors, messages and HTTP; names of all kinds."""

from __future__ import annotations

import json
import struct
from typing import Any

from hypothesis import strategies as st

from contract.tensors import NUMPY_DTYPES
from tests.chaos.fuzz.corpus import ANSWERS, BODIES, HTTP, MESSAGES, NAMES
from tests.transformer.score_requests import INFER, document, message, strings

DAMAGE = st.lists(
    st.tuples(st.integers(0, 10_000), st.binary(max_size=6), st.integers(0, 4)), min_size=1, max_size=4
)
_NUMBERS = st.sampled_from([-(2**63), -1, 0, 1, 2, 3, 255, 2**31, 2**32, 2**63 - 1]) | st.integers(-3, 9)
_SCALARS = (
    st.none()
    | st.booleans()
    | _NUMBERS
    | st.floats()
    | st.text(max_size=8)
    | st.builds(dict)
    | st.builds(list)
)
_DATATYPES = st.sampled_from([*NUMPY_DTYPES, "", "bytes", "\x00"])

_LETTERS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=63)
_PLAIN = st.lists(_LETTERS, min_size=1, max_size=5).map(lambda labels: ".".join(labels).encode())
_UNICODE = st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass"))
_MIXED = st.lists(_PLAIN | _UNICODE | st.sampled_from(NAMES), min_size=1, max_size=3).map(b".".join)
NAME = _PLAIN | _UNICODE | _MIXED | st.binary(max_size=80) | st.sampled_from(NAMES)
_ADDRESS = st.ip_addresses().map(
    lambda address: f"{'A' if address.version == 4 else 'AAAA'} {address}".encode()
)
_RECORD = _ADDRESS | NAME.map(lambda name: b"CNAME " + name) | NAME.map(lambda name: b"NS " + name)
ANSWER = st.lists(_RECORD, max_size=4).map(b", ".join) | st.sampled_from(ANSWERS) | st.binary(max_size=60)
NAMED = st.lists(st.tuples(NAME, ANSWER), min_size=1, max_size=12)


def damaged(raw: bytes, damage: list[tuple[int, bytes, int]]) -> bytes:
    """Bytes written over others, or in their place, somewhere.

    >>> damaged(b"abcdef", [(2, b"X", 3)])
    b'abXf'
    """
    for place, written, removed in damage:
        first = place % (len(raw) + 1)
        raw = raw[:first] + written + raw[first + removed :]
    return raw


@st.composite
def changed_documents(draw: st.DrawFn) -> bytes:
    """A good document with values at some places replaced, added or removed."""
    good: Any = document(
        ["example.com", "a.test"], ["A 11.0.2.1", ""], id="7", outputs=[{"name": "risk_score"}]
    )
    for _ in range(draw(st.integers(1, 3))):
        _change(draw, good)
    return json.dumps(good).encode("utf-8", "surrogatepass")


def _change(draw: st.DrawFn, value: Any) -> None:
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys or draw(st.integers(0, 5)) == 0:
            _put(draw, value)
            return
        key = draw(st.sampled_from(keys))
        if not isinstance(value[key], dict | list):
            value[key] = draw(_SCALARS)
            return
        value = value[key]


def _put(draw: st.DrawFn, value: Any) -> None:
    if isinstance(value, list):
        value.append(draw(_SCALARS))
    elif value and draw(st.booleans()):
        del value[draw(st.sampled_from(list(value)))]
    else:
        value[draw(st.sampled_from(["parameters", "data", "shape", "name", "x"]))] = draw(_SCALARS)


@st.composite
def binary_bodies(draw: st.DrawFn) -> tuple[bytes, dict[str, str]]:
    """Binary tensors over REST whose sizes may be lies; body and headers."""
    raw = draw(
        st.lists(NAME, max_size=4).map(strings) | st.binary(max_size=60) | st.just(struct.pack("<I", 2**31))
    )
    size = draw(st.just(len(raw)) | _NUMBERS)
    shape = draw(st.lists(_NUMBERS, max_size=2))
    tensor = {"name": "domain", "datatype": draw(_DATATYPES | st.just("BYTES")), "shape": shape}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": size}}]}).encode()
    length = draw(st.just(len(head)) | _NUMBERS)
    return head + raw, {"inference-header-content-length": str(length)}


@st.composite
def changed_messages(draw: st.DrawFn) -> bytes:
    """A message of odd tensors, in raw or typed contents or both, with odd parameters."""
    asked = message(draw(st.lists(NAME, max_size=3)), raw=draw(st.booleans()))
    tensor = asked.inputs[0]
    if draw(st.booleans()):
        tensor.datatype = draw(_DATATYPES)
    if draw(st.booleans()):
        del tensor.shape[:]
        tensor.shape.extend(draw(st.lists(_NUMBERS.filter(lambda one: -(2**63) <= one < 2**63), max_size=3)))
    if draw(st.booleans()):
        tensor.contents.int64_contents.append(draw(st.integers(-(2**63), 2**63 - 1)))
    if draw(st.booleans()):
        asked.raw_input_contents.append(draw(st.binary(max_size=20)))
    if draw(st.booleans()):
        asked.parameters[draw(st.text(max_size=5))].double_param = draw(st.floats())
    if draw(st.booleans()):
        asked.outputs.add(name=draw(st.sampled_from(["risk_score", "", "nothing"])))
    asked.model_name = draw(
        st.sampled_from(["dns-risk", "dns-risk", "dns-risk", "", "none", "domain-features"])
    )
    asked.model_version = draw(st.sampled_from(["", "", "", "1", "none"]))
    serialized: bytes = asked.SerializeToString()
    return serialized


_GOOD_BODY = json.dumps(document(["example.com"])).encode()
_GOOD_HTTP = (
    f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(_GOOD_BODY)}\r\nAccept: */*\r\n\r\n"
).encode() + _GOOD_BODY
_GOOD_MESSAGE = message([b"example.com", b"a.test"], [b"A 11.0.2.1", b""]).SerializeToString()

BODY = (
    changed_documents()
    | st.builds(damaged, st.just(_GOOD_BODY), DAMAGE)
    | st.sampled_from(BODIES)
    | st.binary(max_size=60)
)
BINARY_BODY = binary_bodies()
MESSAGE = changed_messages() | st.builds(damaged, st.just(_GOOD_MESSAGE), DAMAGE) | st.sampled_from(MESSAGES)
HTTP_REQUEST = st.builds(damaged, st.sampled_from([_GOOD_HTTP, _GOOD_HTTP, *HTTP]), DAMAGE)
