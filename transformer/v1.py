"""The v1 protocol's `predictions`, made of the v2 tensors."""

from __future__ import annotations

import numpy as np

from contract.tensors import CATEGORIES
from serving.model import InferAnswer


def predictions(domains: np.ndarray, answer: InferAnswer) -> dict[str, object]:
    """One object per name, in the order of the instances, with the fields of the v2 outputs."""
    columns = {name: array.tolist() for name, array in answer.outputs.items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for domain, row in zip(domains.tolist(), rows, strict=True):
        row["domain"] = domain
        row["category_scores"] = dict(zip(CATEGORIES, row["category_scores"], strict=True))
    return {
        "predictions": [{key: _text(value) for key, value in row.items()} for row in rows],
        **answer.parameters,
    }


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value
