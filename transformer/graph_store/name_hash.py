"""Stable 64-bit hashes of names: the order of nodes in a snapshot, and how a name finds its node."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from jaxtyping import UInt64

HASH_BYTES = 8


def name_hashes(names: Iterable[bytes], salt: int = 0) -> UInt64[np.ndarray, " names"]:
    """Hash each name with BLAKE2b, so that nobody can choose a name that lands on another's node.

    >>> name_hashes([b"example.com"]).tolist()
    [1424565772579972710]
    """
    person = salt.to_bytes(8, "big")
    digests = b"".join([blake2b(name, digest_size=HASH_BYTES, person=person).digest() for name in names])
    return np.frombuffer(digests, ">u8").astype(np.uint64)
