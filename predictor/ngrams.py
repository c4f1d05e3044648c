"""Hashed n-grams of many names at once, in integer operations that agree on CPU and CUDA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

# Every product of two hashes stays below 2^62, so int64 never overflows and no backend can differ.
_BITS: Final = (1 << 31) - 1
_STEP: Final = 0x5BD1E995 & _BITS
_SPREAD: Final = 0x2C1B3C6D & _BITS
_EDGE: Final = ord(".")


@dataclass(frozen=True, slots=True)
class NgramLayout:
    """Which n-grams are counted, and into how many buckets."""

    sizes: tuple[int, ...]
    buckets: int


def hashed_ngrams(
    name_bytes: UInt8[Tensor, " bytes"],
    name_offsets: Int64[Tensor, " nodes_and_one"],
    name_parts: Int64[Tensor, "nodes 2"],
    layout: NgramLayout,
) -> tuple[Int64[Tensor, " ngrams"], Int64[Tensor, " nodes_and_one"]]:
    """Bucket of every n-gram of every name, framed by dots, salted by the part where it begins.

    Returns:
        ids: buckets, name by name.
        offsets: where each name's buckets begin; a node without a name has none.
    """
    text, owner, place, length = _framed(name_bytes, name_offsets)
    part = (place >= name_parts[owner, 0]).long() + (place >= name_parts[owner, 1]).long()
    left = length[owner] - place
    columns = []
    rolling = torch.zeros_like(text)
    for size in range(1, max(layout.sizes) + 1):
        following = torch.nn.functional.pad(text[size - 1 :], (0, size - 1))[: len(text)]
        rolling = (rolling * _STEP + following + 1) & _BITS
        if size in layout.sizes:
            bucket = _mix(rolling ^ (part * 8 + size) * _SPREAD & _BITS) % layout.buckets
            columns.append(torch.where(left >= size, bucket, -1))
    table = torch.stack(columns, dim=1)
    present = table >= 0
    counts = torch.zeros_like(length).index_add_(0, owner, present.sum(dim=1))
    return table[present], torch.nn.functional.pad(counts.cumsum(0), (1, 0))


def _framed(
    name_bytes: UInt8[Tensor, " bytes"], name_offsets: Int64[Tensor, " nodes_and_one"]
) -> tuple[Int64[Tensor, " text"], Int64[Tensor, " text"], Int64[Tensor, " text"], Int64[Tensor, " nodes"]]:
    """Names with a dot before and after, the node of each character, its place, and framed lengths."""
    bare = name_offsets.diff()
    length = torch.where(bare > 0, bare + 2, 0)
    starts = length.cumsum(0) - length
    owner = torch.repeat_interleave(torch.arange(len(length), device=length.device), length)
    place = torch.arange(len(owner), device=length.device) - starts[owner]
    source = name_offsets[owner] + place - 1
    inside = (place > 0) & (place <= bare[owner])
    text = torch.where(inside, name_bytes.long()[source.clamp(0, max(len(name_bytes) - 1, 0))], _EDGE)
    return text, owner, place, length


def _mix(hashed: Int64[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
    hashed = ((hashed ^ (hashed >> 15)) * _SPREAD) & _BITS
    hashed = ((hashed ^ (hashed >> 13)) * _STEP) & _BITS
    return hashed ^ (hashed >> 16)
