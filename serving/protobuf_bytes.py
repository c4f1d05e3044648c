"""The few bytes of protobuf's wire format that are written without its library."""

from __future__ import annotations


def varint(number: int) -> bytes:
    r"""A non-negative integer.

    >>> varint(5), varint(300)
    (b'\x05', b'\xac\x02')
    """
    coded = bytearray()
    while number >= 128:
        coded.append(number & 127 | 128)
        number >>= 7
    coded.append(number)
    return bytes(coded)


def delimited(field: int, value: bytes) -> bytes:
    r"""A field of bytes, a string or a message, as number below 16 and value.

    >>> delimited(3, b"id")
    b'\x1a\x02id'
    """
    size = len(value)
    # Lengths below 128 are their own varint.
    prefix = bytes((field << 3 | 2, size)) if size < 128 else bytes((field << 3 | 2,)) + varint(size)
    return prefix + value
