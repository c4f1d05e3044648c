"""The `instances` of the v1 protocol, as the columns of the v2 tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from contract.errors import InvalidTensors
from contract.tensors import ANSWERS, DOMAIN
from serving.tensor_contract import echo

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
    if any(instance.get(ANSWERS.name) is not None for instance in instances):
        inputs[ANSWERS.name] = _column(instances, ANSWERS.name)
    return inputs


def _check(place: int, instance: object) -> None:
    if not isinstance(instance, dict):
        raise InvalidTensors(f"instances[{place}]: expected an object, got {type(instance).__name__}")
    unknown = instance.keys() - _KEYS
    if unknown:
        raise InvalidTensors(
            f"instances[{place}]: expected the keys domain and answers, got {echo(min(unknown))}"
        )
    if DOMAIN.name not in instance:
        raise InvalidTensors(f"instances[{place}]: expected the key domain, got none")
    for key, value in instance.items():
        # What may be left out may be null.
        if not isinstance(value, str) and not (key == ANSWERS.name and value is None):
            raise InvalidTensors(f"instances[{place}].{key}: expected a string, got {type(value).__name__}")


def _column(instances: list[dict[str, str | None]], key: str) -> np.ndarray:
    return np.array([(instance.get(key) or "").encode() for instance in instances], dtype=object)
