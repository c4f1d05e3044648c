"""The v1 protocol's `instances` and `predictions`, mapped to and from the v2 tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from contract.errors import InvalidTensors
from contract.tensors import ANSWERS, CATEGORIES, DOMAIN
from serving.model import InferAnswer

_KEYS: Final = frozenset({DOMAIN.name, ANSWERS.name})


def tensors_of_instances(body: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The input tensors of `{"instances": [{"domain": …, "answers": …}]}`.

    Raises:
        InvalidTensors: says which instance is not of this form.
    """
    instances = body.get("instances")
    if not isinstance(instances, list):
        raise InvalidTensors(f"instances: expected a list of objects, got {type(instances).__name__}")
    for place, instance in enumerate(instances):
        _check(place, instance)
    inputs = {DOMAIN.name: _column(instances, DOMAIN.name)}
    if any(ANSWERS.name in instance for instance in instances):
        inputs[ANSWERS.name] = _column(instances, ANSWERS.name)
    return inputs


def _check(place: int, instance: object) -> None:
    if not isinstance(instance, dict):
        raise InvalidTensors(f"instances[{place}]: expected an object, got {type(instance).__name__}")
    unknown = instance.keys() - _KEYS
    if unknown:
        raise InvalidTensors(
            f"instances[{place}]: expected the keys domain and answers, got {min(unknown)!r}"
        )
    if DOMAIN.name not in instance:
        raise InvalidTensors(f"instances[{place}]: expected the key domain, got none")
    for key, value in instance.items():
        if not isinstance(value, str):
            raise InvalidTensors(f"instances[{place}].{key}: expected a string, got {type(value).__name__}")


def _column(instances: list[dict[str, str]], key: str) -> np.ndarray:
    return np.array([instance.get(key, "").encode() for instance in instances], dtype=object)


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
