"""Large tables as bytes: int8 rows, each with the scale that its largest entry sets.

The n-gram table is nearly all of a checkpoint. A name's sum over some fifty rows averages the rounding out:
scores move in the fourth digit, and twice as many buckets as in half precision fit the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

ROUNDED_FROM: Final = 100_000
_SCALE: Final = ".row_scale"
_LARGEST: Final = 127


def rounded(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors as they are stored: large matrices as int8 and float16 scales, the others as they are.

    >>> stored = rounded({"table": torch.ones(1000, 100), "bias": torch.ones(3)})
    >>> stored["table"].dtype, stored["table.row_scale"].shape, stored["bias"].dtype
    (torch.int8, torch.Size([1000, 1]), torch.float32)
    """
    stored: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if tensor.numel() < ROUNDED_FROM or tensor.dim() != 2:
            stored[name] = tensor.contiguous()
            continue
        # A row of zeros has any scale.
        scale = (tensor.abs().amax(dim=1, keepdim=True) / _LARGEST).half().clamp(min=6e-8)
        whole = (tensor / scale.float()).round().clamp(-_LARGEST, _LARGEST)
        stored[name], stored[name + _SCALE] = whole.to(torch.int8).contiguous(), scale
    return stored


def restored(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that `rounded` stored, as float32; those of older checkpoints come as they are.

    Raises:
        RuntimeError: a scale does not fit its table.
    """
    weights = {name: tensor for name, tensor in stored.items() if not name.endswith(_SCALE)}
    for name, scale in stored.items():
        if name.endswith(_SCALE):
            table = name.removesuffix(_SCALE)
            if table not in weights or scale.shape != (len(weights[table]), 1):
                raise RuntimeError(f"{name}: no scales of a table's rows")
            weights[table] = weights[table].float() * scale.float()
    return weights
