"""DNSDB v2's Streaming API Framing: records in `obj`, and in `cond` how far the answer has come.

An answer is a line `{"cond": "begin"}`, lines with `obj`, now and then "ongoing", and an end: "succeeded",
"limited" (there is more than was sent) or "failed". Without an end it was cut off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from transformer.graph_store.common_output_format import UnusableLine

_GOING_ON: Final = ("begin", "ongoing")
_WHOLE: Final = "succeeded"
_IN_PART: Final = {
    "limited": "limited: there is more than was sent",
    "failed": "failed: records may be missing",
}
CUT_OFF: Final = "without an end: cut off, records may be missing"
UNKNOWN_END: Final = "with an unknown condition: records may be missing"


def is_frame(content: Mapping[str, Any]) -> bool:
    """Whether this is a frame and no record.

    >>> is_frame({"cond": "begin"}), is_frame({"rrname": "example.com"})
    (True, False)
    """
    return ("cond" in content or "obj" in content) and "rrname" not in content


class Frames:
    """Follows the answers of one file, and tells those that did not end well."""

    def __init__(self) -> None:
        self._open = False

    def follow(self, frame: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Take the next frame; for an answer that ended badly, how it ended and what the sender said."""
        condition, said = frame.get("cond"), repr(frame.get("msg", ""))[:200]
        if condition == "begin" and self._open:
            yield CUT_OFF, ""
        self._open = condition is None or condition in _GOING_ON
        if not self._open and condition != _WHOLE:
            if isinstance(condition, str) and condition in _IN_PART:
                yield _IN_PART[condition], said
            else:
                yield UNKNOWN_END, repr(condition)[:40]

    def finish(self) -> Iterator[tuple[str, str]]:
        """The same for the end of the file."""
        if self._open:
            yield CUT_OFF, ""


def record_of(frame: Mapping[str, Any]) -> dict[str, Any] | None:
    """The record in a frame, if there is one.

    Raises:
        UnusableLine: there is something else.
    """
    record = frame.get("obj")
    if record is not None and not isinstance(record, dict):
        raise UnusableLine("obj is no JSON object")
    return record
