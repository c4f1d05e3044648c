"""`contract.ngrams` in torch, for training and CUDA; the same numbers on every device."""

from __future__ import annotations

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from contract.ngrams import BITS, EDGE, SPREAD, STEP, NgramLayout


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
    text, left, part, starts = _framed(name_bytes, name_offsets, name_parts)
    # N-grams that leave their name are hashed too, and cut out at the end.
    table = text.new_empty(len(text), len(layout.sizes))
    padded = torch.nn.functional.pad(text + 1, (0, max(layout.sizes)))
    rolling = torch.zeros_like(text)
    for size in range(1, max(layout.sizes) + 1):
        rolling.mul_(STEP).add_(padded[size - 1 : size - 1 + len(text)]).bitwise_and_(BITS)
        if size in layout.sizes:
            salt = ((torch.arange(3, device=text.device) * 8 + size) * SPREAD & BITS)[part]
            table[:, layout.sizes.index(size)] = rolling ^ salt
    ids = _mix(table).remainder_(layout.buckets)
    present = left[:, None] >= torch.tensor(layout.sizes, device=text.device)
    before = torch.nn.functional.pad(present.sum(dim=1).cumsum(0), (1, 0))
    return ids[present], before[starts]


def _framed(
    name_bytes: UInt8[Tensor, " bytes"],
    name_offsets: Int64[Tensor, " nodes_and_one"],
    name_parts: Int64[Tensor, "nodes 2"],
) -> tuple[
    Int64[Tensor, " text"], Int64[Tensor, " text"], Int64[Tensor, " text"], Int64[Tensor, " nodes_and_one"]
]:
    """Names with a dot before and after.

    Returns:
        text: characters of the framed names, end to end.
        left: how many characters of its name remain from each, itself included.
        part: 0 before the registrable label, 1 in it, 2 in the public suffix.
        starts: where each framed name begins in `text`.
    """
    bare = name_offsets.diff()
    length = torch.where(bare > 0, bare + 2, 0)
    starts = torch.nn.functional.pad(length.cumsum(0), (1, 0))
    total = int(starts[-1])
    text = torch.full((total,), EDGE, dtype=torch.int64, device=length.device)
    named = torch.repeat_interleave(starts[:-1] + 1 - name_offsets[:-1], bare, output_size=len(name_bytes))
    text[named + torch.arange(len(name_bytes), device=length.device)] = name_bytes.long()
    places = torch.arange(total, device=length.device)
    bounds = torch.stack([starts[1:], starts[:-1] + name_parts[:, 0], starts[:-1] + name_parts[:, 1]], dim=1)
    end, label, suffix = torch.repeat_interleave(bounds, length, dim=0, output_size=total).unbind(dim=1)
    part = (places >= label).long() + (places >= suffix).long()
    return text, end - places, part, starts


def _mix(hashed: Int64[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
    """Scatter neighbouring hashes; works in place on its argument."""
    hashed.bitwise_xor_(hashed >> 15).mul_(SPREAD).bitwise_and_(BITS)
    hashed.bitwise_xor_(hashed >> 13).mul_(STEP).bitwise_and_(BITS)
    return hashed.bitwise_xor_(hashed >> 16)


def names_of(
    name_bytes: UInt8[Tensor, " bytes"],
    name_offsets: Int64[Tensor, " nodes_and_one"],
    nodes: Int64[Tensor, " chosen"],
) -> tuple[UInt8[Tensor, " chosen_bytes"], Int64[Tensor, " chosen_and_one"]]:
    """The names of some nodes end to end, and where each begins."""
    lengths = name_offsets[nodes + 1] - name_offsets[nodes]
    starts = torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
    moved = torch.repeat_interleave(name_offsets[nodes] - starts[:-1], lengths)
    return name_bytes[moved + torch.arange(len(moved), device=moved.device)], starts
