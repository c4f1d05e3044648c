"""Large tables as bytes: int8 rows, each with the scale that its largest entry sets.

The n-gram table is nearly all of a checkpoint. A name's sum over some fifty rows averages the rounding out:
scores move in the fourth digit, and twice as many numbers as in half precision fit the same file. It stands
here because the transformer's fallback reads the same file as the predictor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

ROUNDED_FROM: Final = 100_000
_SCALE: Final = ".row_scale"
_LARGEST: Final = 127


def rounded(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays as they are stored: large matrices as int8 and float16 scales, the others as they are.

    >>> stored = rounded({"table": np.ones((1000, 100), np.float32), "bias": np.ones(3, np.float32)})
    >>> stored["table"].dtype, stored["table.row_scale"].shape, stored["bias"].dtype
    (dtype('int8'), (1000, 1), dtype('float32'))
    """
    stored: dict[str, np.ndarray] = {}
    for name, array in weights.items():
        if array.size < ROUNDED_FROM or array.ndim != 2:
            stored[name] = array
            continue
        # A row of zeros has any scale.
        scale = np.maximum(np.abs(array).max(axis=1, keepdims=True) / _LARGEST, 6e-8).astype(np.float16)
        whole = np.clip(np.round(array / scale.astype(np.float32)), -_LARGEST, _LARGEST)
        stored[name], stored[name + _SCALE] = whole.astype(np.int8), scale
    return stored


def restored(stored: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays that `rounded` stored, as float32; those of older checkpoints come as they are.

    Raises:
        ValueError: a scale does not fit its table.
    """
    weights = {name: array for name, array in stored.items() if not name.endswith(_SCALE)}
    for name, scale in stored.items():
        if name.endswith(_SCALE):
            table = name.removesuffix(_SCALE)
            if table not in weights or scale.shape != (len(weights[table]), 1):
                raise ValueError(f"{name}: no scales of a table's rows")
            weights[table] = weights[table].astype(np.float32) * scale.astype(np.float32)
    return weights
