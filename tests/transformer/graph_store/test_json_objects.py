import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transformer.graph_store.common_output_format import UnusableLine
from transformer.graph_store.json_objects import MAX_OBJECT_BYTES, Found, Piece, objects_of

BOM = b"\xef\xbb\xbf"
RECORDS = st.lists(
    st.dictionaries(st.text(max_size=5), st.text() | st.integers(0, 9) | st.lists(st.text(), max_size=3)),
    max_size=5,
)


def read(text: bytes, piece_bytes: int = 1 << 20) -> list[Found]:
    """What is found where lines come in parts of at most some bytes."""
    pieces = []
    for number, line in enumerate(text.split(b"\n"), 1):
        parts = [line[at : at + piece_bytes] for at in range(0, len(line), piece_bytes)] or [b""]
        pieces += [Piece(number, part, ends=False) for part in parts[:-1]]
        pieces.append(Piece(number, parts[-1], ends=True))
    return list(objects_of(pieces))


def contents(found: list[Found]) -> list[object]:
    return [entry.content for entry in found]


def reasons(found: list[Found]) -> list[str]:
    return [entry.content.reason for entry in found if isinstance(entry.content, UnusableLine)]


FORMS: dict[str, Callable[[list[object]], str]] = {
    "lines": lambda records: "\n".join(map(json.dumps, records)),
    "lines and CR": lambda records: "\r\n".join(map(json.dumps, records)),
    "commas at ends": lambda records: ",\n".join(map(json.dumps, records)) + ",",
    "blank lines": lambda records: "\n \t\n\n".join(map(json.dumps, records)) + "\n\n",
    "one line": lambda records: "".join(map(json.dumps, records)),
    "record separators": lambda records: "".join(f"\x1e{json.dumps(record)}\n" for record in records),
    "an array": json.dumps,
    "an array of lines": lambda records: "[\n" + ",\n".join(map(json.dumps, records)) + "\n]",
    "a pretty array": lambda records: json.dumps(records, indent=2),
    "a flat pretty array": lambda records: json.dumps(records, indent=0),
    "pretty objects": lambda records: "\n".join(json.dumps(record, indent=4) for record in records),
    "pretty objects with tabs": lambda records: "\n".join(json.dumps(one, indent="\t") for one in records),
    "pretty objects in a row": lambda records: ", ".join(json.dumps(record, indent=1) for record in records),
    "no ASCII": lambda records: json.dumps(records, indent=2, ensure_ascii=False),
}


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=50)
@given(records=RECORDS, mark=st.booleans(), piece_bytes=st.sampled_from([1, 2, 3, 7, 50, 1 << 20]))
def test_the_form_of_a_file_does_not_matter(
    form: str, records: list[object], mark: bool, piece_bytes: int
) -> None:
    """Lines, arrays and pretty-printed objects, with or without a byte order mark, hold the same records."""
    text = FORMS[form](records).encode("utf-8", "surrogatepass")
    if b"\xed" not in text:
        assert contents(read(BOM * mark + text, piece_bytes)) == records


@settings(deadline=None, max_examples=300)
@given(
    text=st.binary() | st.text('{}[]",:\\\n 0a').map(str.encode), piece_bytes=st.sampled_from([1, 3, 1 << 20])
)
def test_no_bytes_raise_anything(text: bytes, piece_bytes: int) -> None:
    """Whatever a file holds comes out as objects and reasons, at most one of each for each byte."""
    found = read(text, piece_bytes)
    assert len(found) <= len(text)
    assert all(isinstance(entry.content, dict | UnusableLine) for entry in found)


@pytest.mark.parametrize(
    "bad",
    [
        b'{"a": 1',
        b'{"a": "x',
        b'{"a": "x"',
        b'{"a": "x",',
        b'{"a": {"b": [',
        b'{"a": nonsense}',
        b'{"a": NaN}',
        b"nonsense",
        b'"text"',
        b"null",
        b"\x00" * 4096,
        b"\xff\xfe",
        b"}",
        b'{"a": 1}}',
    ],
)
@pytest.mark.parametrize(("begin", "end"), [(b"", b""), (b"[\n", b"]\n")])
def test_a_bad_line_costs_itself(bad: bytes, begin: bytes, end: bytes) -> None:
    """The records before and after it are read, and it is told once, with its line."""
    comma = b"," if begin else b""
    text = begin + b'{"a": 0}' + comma + b"\n" + bad + comma + b"\n" + b'{"a": 2}\n' + end
    found = read(text)
    assert [entry.content for entry in found if entry.content in ({"a": 0}, {"a": 2})] == [{"a": 0}, {"a": 2}]
    told = [entry.line for entry in found if isinstance(entry.content, UnusableLine)]
    assert told == [3 if begin else 2]


def test_a_broken_pretty_object_costs_itself() -> None:
    """One that is cut off in the middle of a pretty-printed array is told, and the next is read."""
    lines = json.dumps([{"a": [1]}, {"b": 2}, {"c": 3}], indent=2).splitlines()
    cut = "\n".join(lines[:3] + lines[6:])
    found = read(cut.encode())
    assert reasons(found) == ["not JSON"]
    assert contents(found)[1:] == [{"b": 2}, {"c": 3}]


def test_an_array_on_one_line_may_be_long() -> None:
    """Only the length of an object is limited, not that of the line that it stands in."""
    records = [{"a": "x" * 1000, "number": number} for number in range(5000)]
    assert contents(read(json.dumps(records).encode(), MAX_OBJECT_BYTES)) == records


@pytest.mark.parametrize(
    "long", [{"a": "x" * (3 * MAX_OBJECT_BYTES)}, {"a": ["x" * 999] * (MAX_OBJECT_BYTES // 999)}]
)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_long_object_is_told_and_not_kept(long: dict[str, object], indent: int | None) -> None:
    """Its length is the reason; what follows on other lines is read."""
    text = json.dumps(long, indent=indent) + '\n{"b": 1}\n'
    found = read(text.encode(), MAX_OBJECT_BYTES)
    assert reasons(found)[0] == f"longer than {MAX_OBJECT_BYTES:,} bytes"
    assert contents(found)[-1] == {"b": 1}


def test_a_file_that_ends_inside_an_object_is_told() -> None:
    """At any place."""
    whole = json.dumps({"rrname": "a.example", "rdata": ["x", "y"]}, indent=1).encode()
    for end in range(1, len(whole)):
        assert reasons(read(whole[:end])) == ["not JSON"]


def test_lines_of_one_byte_are_no_trap() -> None:
    """An object over many lines is looked at once, however many those are."""
    items = ["1"] * 20_000
    text = '{"a": [\n' + "\n,\n".join(items) + "\n]}"
    assert contents(read(text.encode())) == [{"a": [1] * len(items)}]
