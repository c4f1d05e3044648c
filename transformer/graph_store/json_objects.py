"""Cut JSON objects out of text: one a line, one over several lines, or many in an array.

A line that is one object is by far the most frequent and goes straight to the parser. Whatever else there is
(arrays, pretty-printed objects, commas at line ends, a byte order mark, RFC 7464's record separators) is cut
by counting brackets outside strings, so that a bad object costs itself and not the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import orjson

from transformer.graph_store.common_output_format import UnusableLine

# The longest object, and the most of one line that is read at a time.
MAX_OBJECT_BYTES: Final = 1 << 20
# A whole string, a quote that no other one ends, or a bracket.
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)
# What may stand between objects: white space, commas, record separators and a byte order mark.
_BETWEEN: Final = b" \t\r\n\v\f,\x1e\xef\xbb\xbf"


class Piece(NamedTuple):
    """A line without its end, or a part of a very long one. ends: the line ends with it."""

    line: int
    text: bytes
    ends: bool


class Found(NamedTuple):
    """A JSON object and the line where it begins, or why there is none."""

    line: int
    content: dict[str, Any] | UnusableLine


def objects_of(pieces: Iterable[Piece]) -> Iterator[Found]:
    """Every JSON object of a text.

    >>> [found.content for found in objects_of([Piece(1, b'[{"a": 1},', True), Piece(2, b'{"a": 2}]', True)])]
    [{'a': 1}, {'a': 2}]
    """
    cutter = _Cutter()
    for piece in pieces:
        if cutter.idle and piece.ends:
            try:
                content = orjson.loads(piece.text)
            except orjson.JSONDecodeError:
                yield from cutter.feed(piece)
            else:
                yield from _of_value(piece.line, content)
        else:
            yield from cutter.feed(piece)
    yield from cutter.finish()


def _of_value(line: int, value: object) -> Iterator[Found]:
    for item in value if isinstance(value, list) else (value,):
        yield Found(line, item if isinstance(item, dict) else UnusableLine("not a JSON object"))


class _Cutter:
    """Objects that begin and end anywhere; holds the one that has begun, up to the length allowed."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._line = 0
        self._indent = 0
        # The beginning of a string that a piece was cut in.
        self._carry = b""
        self._skips_line = False
        self._begins_line = True
        self._told_line = 0

    @property
    def idle(self) -> bool:
        """Nothing has begun."""
        return not (self._depth or self._carry or self._skips_line)

    def feed(self, piece: Piece) -> Iterator[Found]:
        """The objects that end in a piece."""
        begins_line, self._begins_line = self._begins_line, piece.ends
        if self._skips_line:
            self._skips_line = not piece.ends
            return
        if begins_line and self._depth and self._is_cut_off_before(piece.text):
            yield self._broken("cut off")
        yield from self._cut(piece._replace(text=self._carry + piece.text))

    def finish(self) -> Iterator[Found]:
        """Tell an object that the text ends in."""
        if self._depth:
            yield self._broken("cut off: the file ends inside it")

    def _is_cut_off_before(self, text: bytes) -> bool:
        # What is inside an object is written behind a name or indented further than the object.
        return text.lstrip(b" \t").startswith(b"{") and _indent(text) <= self._indent

    def _cut(self, piece: Piece) -> Iterator[Found]:
        text, self._carry = piece.text, b""
        done = 0
        for match in _TOKEN.finditer(text):
            token, at = match[0], match.start()
            if not self._depth:
                yield from self._between(piece.line, text[done:at])
            if token == b'"':
                yield from self._open_string(piece, done, at)
                return
            if not self._depth and token == b"{":
                done = at
                self._depth, self._line, self._indent = 1, piece.line, _indent(text)
            elif self._depth:
                self._depth += (token in b"{[") - (token in b"}]")
                if not self._depth:
                    yield self._ended(text[done : match.end()])
                    done = match.end()
            else:
                # Brackets of an array around the objects say nothing; other tokens do not belong there.
                yield from self._between(piece.line, token.strip(b"[]"))
                done = match.end()
        if self._depth:
            # Numbers end with their line.
            self._keep(text[done:] + b"\n" * piece.ends)
        else:
            yield from self._between(piece.line, text[done:])

    def _between(self, line: int, text: bytes) -> Iterator[Found]:
        # Once a line is enough.
        if line != self._told_line and text.strip(_BETWEEN):
            self._told_line = line
            yield Found(line, UnusableLine("not JSON", repr(text.strip(_BETWEEN)[:80])))

    def _open_string(self, piece: Piece, done: int, at: int) -> Iterator[Found]:
        """A string has begun that its piece does not end: legal only where the line goes on."""
        rest = piece.text[at:]
        if not self._depth:
            yield from self._between(piece.line, rest)
            self._skips_line = not piece.ends
        elif piece.ends:
            yield self._broken("a line ends inside a string")
        elif len(rest) > MAX_OBJECT_BYTES:
            self._keep(rest)
            yield self._broken("")
            self._skips_line = True
        else:
            self._keep(piece.text[done:at])
            self._carry = rest

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > MAX_OBJECT_BYTES:
            self._parts.clear()
        else:
            self._parts.append(part)

    def _ended(self, part: bytes) -> Found:
        self._keep(part)
        if self._size > MAX_OBJECT_BYTES:
            return self._broken("")
        content = b"".join(self._parts)
        try:
            found = Found(self._line, orjson.loads(content))
        except orjson.JSONDecodeError as problem:
            return self._broken(str(problem))
        self._forget()
        return found

    def _broken(self, detail: str) -> Found:
        long = self._size > MAX_OBJECT_BYTES
        problem = (
            UnusableLine(f"longer than {MAX_OBJECT_BYTES:,} bytes")
            if long
            else UnusableLine("not JSON", detail)
        )
        found = Found(self._line, problem)
        self._forget()
        return found

    def _forget(self) -> None:
        self._parts.clear()
        self._size = self._depth = 0
        self._carry = b""


def _indent(text: bytes) -> int:
    return len(text) - len(text.lstrip(b" \t"))
