"""BYTES tensors in raw contents: each element is its length in four octets, little-endian, and its octets."""

from __future__ import annotations

import struct
from collections.abc import Iterable

_LENGTH = struct.Struct("<I")


def packed(texts: Iterable[str]) -> bytes:
    """The raw contents of a tensor of texts.

    >>> texts_in(packed(["a", "", "bücher"]))
    ['a', '', 'bücher']
    """
    return b"".join(_LENGTH.pack(len(octets)) + octets for octets in map(str.encode, texts))


def texts_in(raw: bytes) -> list[str]:
    """The texts of a tensor.

    Raises:
        ValueError: an element leaves the contents, or is no UTF-8.
    """
    texts = []
    place = 0
    while place < len(raw):
        start = place + _LENGTH.size
        if start > len(raw):
            raise ValueError("a length is cut short")
        place = start + _LENGTH.unpack_from(raw, place)[0]
        if place > len(raw):
            raise ValueError("an element is cut short")
        texts.append(raw[start:place].decode())
    return texts
