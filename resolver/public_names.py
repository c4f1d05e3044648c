"""What the law of names says of a wire name; answers are remembered, as the same names come again."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from contract import blockable
from contract.public_suffix import public_suffix
from resolver.wire_names import labels_of, parent_of, to_text

_REMEMBERED: Final = 1 << 16
REVERSE: Final = b"\x04arpa"


@lru_cache(_REMEMBERED)
def is_local(name: bytes) -> bool:
    """Whether a name is nobody's public one: it is not scored or kept, and never leaves the house."""
    return blockable.is_local(to_text(name))


@lru_cache(_REMEMBERED)
def why_never_blocked(name: bytes) -> str:
    """Why no score may block a name, in a word or two to count by; "" where one may."""
    return blockable.why_never_blocked(to_text(name))


@lru_cache(_REMEMBERED)
def registered_domain(name: bytes) -> bytes:
    """The name's public suffix with one label before it; empty where it is a suffix itself, or under none."""
    suffix = public_suffix(to_text(name)).name
    surplus = len(labels_of(name)) - (suffix.count(".") + 2)
    if not suffix or surplus < 0:
        return b""
    for _ in range(surplus):
        name = parent_of(name)
    return name
