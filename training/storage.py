"""Samples of one step on disk for the next: an npz of plain arrays by field name, never pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np

Stored = TypeVar("Stored")

_SEPARATOR = "\n"


def save(path: Path, value: Any) -> None:
    """Write a dataclass whose fields are arrays, lists of texts, pairs of texts, or such dataclasses."""
    np.savez(path, allow_pickle=False, **dict(_arrays("", value)))


def load(path: Path, kind: type[Stored]) -> Stored:
    """Read what `save` wrote for a dataclass of this kind."""
    with np.load(path, allow_pickle=False) as arrays:
        value: Stored = _value("", kind, arrays)
    return value


def _arrays(prefix: str, value: Any) -> Iterator[tuple[str, np.ndarray]]:
    for field in fields(value):
        name, part = f"{prefix}{field.name}", getattr(value, field.name)
        if is_dataclass(part):
            yield from _arrays(f"{name}.", part)
        elif isinstance(part, np.ndarray) and part.dtype.kind == "U":
            # Few distinct texts of a wide type: names for numbers take a twentieth of the space.
            vocabulary, codes = np.unique(part, return_inverse=True)
            yield f"{name}.vocabulary", vocabulary
            yield f"{name}.codes", codes.astype(np.int32)
        elif isinstance(part, list):
            yield name, _joined(part)
        else:
            yield name, np.asarray(part)


def _joined(texts: list[Any]) -> np.ndarray:
    lines = (text if isinstance(text, str) else " ".join(text) for text in texts)
    return np.frombuffer(_SEPARATOR.join(lines).encode(), np.uint8)


def _value(prefix: str, kind: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    hints = get_type_hints(kind)
    return kind(**{name: _part(f"{prefix}{name}", hint, arrays) for name, hint in hints.items()})


def _part(name: str, hint: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if is_dataclass(hint):
        return _value(f"{name}.", hint, arrays)
    if hint in (list[str], list[tuple[str, str]]):
        text = arrays[name].tobytes().decode()
        lines = text.split(_SEPARATOR) if text else []
        return lines if hint == list[str] else [tuple(line.split(" ")) for line in lines]
    if f"{name}.codes" in arrays:
        return arrays[f"{name}.vocabulary"][arrays[f"{name}.codes"]]
    return arrays[name]
