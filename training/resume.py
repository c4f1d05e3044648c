"""A descent under way as one file: tensors as safetensors, numbers as JSON in its header; never pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

_TENSORS: Final = ("module", "averaged", "best")
_NUMBERS: Final = ("step", "best_figure", "best_step", "looks")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that decides how a descent goes on."""

    module: dict[str, Tensor]
    averaged: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    step: int
    best_figure: float
    best_step: int
    looks: int


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Replace the file as a whole: a run killed meanwhile leaves the one before."""
    tensors = {
        f"{part}/{name}": tensor.clone()
        for part in _TENSORS
        for name, tensor in getattr(snapshot, part).items()
    }
    for place, state in snapshot.optimizer["state"].items():
        tensors |= {f"optimizer/{place}/{name}": tensor.clone() for name, tensor in state.items()}
    numbers = {name: getattr(snapshot, name) for name in _NUMBERS}
    numbers |= {"groups": snapshot.optimizer["param_groups"], "schedule": snapshot.schedule}
    fresh = path.with_suffix(".new")
    save_file(tensors, fresh, {"numbers": json.dumps(numbers)})
    fresh.replace(path)


def read_snapshot(path: Path) -> Snapshot:
    """Read what `write_snapshot` wrote."""
    with safe_open(path, "pt") as file:
        numbers = json.loads(file.metadata()["numbers"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer/"):
            _, place, what = name.split("/", 2)
            state.setdefault(int(place), {})[what] = tensor
    parts: dict[str, Any] = {part: _of_part(part, tensors) for part in _TENSORS}
    parts |= {name: numbers[name] for name in _NUMBERS}
    optimizer = {"state": state, "param_groups": numbers["groups"]}
    return Snapshot(optimizer=optimizer, schedule=numbers["schedule"], **parts)


def _of_part(part: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    head = f"{part}/"
    return {name.removeprefix(head): tensor for name, tensor in tensors.items() if name.startswith(head)}
