"""The lines of a journal: a header that is rewritten in place, and changes with length and checksum. Pure.

dns-risk rpz journal 2 kept 0000          see State
<octets> <CRC-32> <JSON of a change>      both numbers in eight hexadecimal digits
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from resolver.rpz.rules import NXDOMAIN, PASSTHRU, Rule
from resolver.rpz.zone import Change
from resolver.wire_names import WILDCARD, NotAName, from_text, to_text

_HEADER: Final = re.compile(rb"dns-risk rpz journal 2 (kept|lost) ([0-9]{4})\n")
HEADER_OCTETS: Final = len(b"dns-risk rpz journal 2 kept 0000\n")
_FRAME_OCTETS: Final = 18
_TARGETS: Final = {"nxdomain": NXDOMAIN, "passthru": PASSTHRU}
_TARGET_NAMES: Final = {target: name for name, target in _TARGETS.items()}
_WILDCARD_TEXT: Final = "*."
MAX_LOSSES: Final = 9999


@dataclass(frozen=True, slots=True)
class State:
    """What a journal says of itself in its header, whose length never changes, for disks that are full."""

    lost: bool = False
    """whether changes were served that are not in it"""
    losses: int = 0
    """how many processes began with such a journal since it was last whole"""


@dataclass(slots=True)
class Read:
    """What was read of a journal. whole_octets: up to where it can be trusted."""

    state: State
    changes: list[Change] = field(default_factory=list)
    headed: bool = True
    """whether it has a header of this version, which can be written in place"""
    whole_octets: int = 0
    cut_short: bool = False
    """the last line is not whole: the process was killed while it wrote, and that change was never served"""
    damaged: bool = False
    """a line is none of ours: what follows is not read"""


def header(state: State) -> bytes:
    """The first line."""
    losses = min(state.losses, MAX_LOSSES)
    return f"dns-risk rpz journal 2 {'lost' if state.lost else 'kept'} {losses:04d}\n".encode()


def line(change: Change) -> bytes:
    """The line of a change."""
    entry = {
        "before": change.before,
        "serial": change.serial,
        "added": [[*_names_of(rule), expires_s] for rule, expires_s in change.added.items()],
        "removed": [_names_of(rule) for rule in change.removed],
    }
    text = json.dumps(entry, separators=(",", ":")).encode()
    return b"%08x %08x %s\n" % (len(text), zlib.crc32(text), text)


def _names_of(rule: Rule) -> list[str]:
    wild = rule.owner.startswith(WILDCARD)
    owner = rule.owner.removeprefix(WILDCARD)
    return [_WILDCARD_TEXT * wild + to_text(owner), _TARGET_NAMES[rule.target]]


def _rule(owner: str, target: str) -> Rule:
    prefix = WILDCARD if owner.startswith(_WILDCARD_TEXT) else b""
    return Rule(prefix + from_text(owner.removeprefix(_WILDCARD_TEXT)), _TARGETS[target])


def read(content: bytes) -> Read:
    """All changes up to the first line that is not whole; of version 1 as of version 2."""
    found = _HEADER.match(content)
    if found is None:
        return _read_first_version(content)
    result = Read(State(found[1] == b"lost", int(found[2])), whole_octets=HEADER_OCTETS)
    for end, change in _framed(content):
        if change is None:
            # A process that was killed leaves a line without its end; a whole one that is wrong was served.
            result.cut_short = end == len(content) and not content.endswith(b"\n")
            result.damaged = not result.cut_short
            break
        result.changes.append(change)
        result.whole_octets = end
    return result


def _framed(content: bytes) -> Iterator[tuple[int, Change | None]]:
    """Where each line ends, and its change; None where it is not whole."""
    place = HEADER_OCTETS
    while place < len(content):
        end = content.find(b"\n", place) + 1 or len(content) + 1
        text = content[place:end]
        change = _unframed(text[:-1]) if text.endswith(b"\n") else None
        # A half line has no end: what was written of it is the end of the file.
        yield min(end, len(content)), change
        place = end


def _unframed(text: bytes) -> Change | None:
    body = text[_FRAME_OCTETS:]
    if text[:_FRAME_OCTETS] != b"%08x %08x " % (len(body), zlib.crc32(body)):
        return None
    try:
        entry = json.loads(body)
        added = {_rule(owner, target): int(expires_s) for owner, target, expires_s in entry["added"]}
        removed = tuple(_rule(owner, target) for owner, target in entry["removed"])
        return Change(int(entry["before"]), int(entry["serial"]), added, removed)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read_first_version(content: bytes) -> Read:
    """Lines of JSON without a header; their names blocked, and what was served of them nobody knows."""
    result = Read(State(lost=True), headed=False, damaged=not content.startswith(b"{"))
    for text in content.split(b"\n"):
        try:
            entry = json.loads(text)
            added = {rule: int(entry["added"][name]) for name in entry["added"] for rule in _blocking(name)}
            removed = tuple(rule for name in entry["removed"] for rule in _blocking(name))
            result.changes.append(Change(int(entry["before"]), int(entry["serial"]), added, removed))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            break
    return result


def _blocking(name: Any) -> list[Rule]:
    try:
        return [Rule(from_text(name), NXDOMAIN)]
    except NotAName:
        # An owner that broke transfers; see Zone.
        return []
