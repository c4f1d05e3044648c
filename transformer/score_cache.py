"""Scores of names that are asked for again: bounded, short-lived, and of one snapshot and one model version.

Off unless its operator gives it room. Resolvers repeat a few names most of the time; a repeated name costs a
look-up here instead of features, graph and model.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from contract.tensors import CLIENT_OUTPUTS, MODEL_VERSION_PARAMETER
from serving.deadline import Deadline
from serving.model import InferAnswer, Parameter
from transformer.lexical_model import LEXICAL_SUFFIX

# Name and answers as they were sent.
Key: TypeAlias = tuple[bytes, bytes]
# Bytes of name and answers that are kept; longer ones are rare and would cost the memory of many.
_LONGEST_KEY: Final = 1_024

Ask: TypeAlias = Callable[
    [list[bytes], list[bytes] | None, Deadline, Mapping[str, str]], Awaitable[InferAnswer]
]


@dataclass(frozen=True, slots=True)
class Row:
    """The outputs of one name, in the order of the contract, and when they are too old."""

    values: tuple[Any, ...]
    ends_s: float


def keys_of(names: Sequence[bytes], answers: Sequence[bytes] | None) -> list[Key]:
    """What each name is found by."""
    return list(zip(names, answers if answers is not None else [b""] * len(names), strict=True))


class ScoreCache:
    """The least recently asked names go first; all go when snapshot or model change."""

    def __init__(self, names: int, ttl_s: float) -> None:
        self._names = names
        self._ttl_s = ttl_s
        self._rows: OrderedDict[Key, Row] = OrderedDict()
        self._snapshot = ""
        self.version = ""
        self.parameters: dict[str, Parameter] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def look_up(self, keys: Iterable[Key], snapshot: str) -> list[tuple[Any, ...] | None]:
        """The outputs of each name that is known for this snapshot, None for the others."""
        if snapshot != self._snapshot:
            self._rows.clear()
        now_s = time.monotonic()
        return [self._find(key, now_s) for key in keys]

    def _find(self, key: Key, now_s: float) -> tuple[Any, ...] | None:
        row = self._rows.get(key)
        if row is None:
            return None
        if row.ends_s <= now_s:
            del self._rows[key]
            return None
        self._rows.move_to_end(key)
        return row.values

    def learn(self, keys: Sequence[Key], answer: InferAnswer, snapshot: str) -> None:
        """Keep what a model said of these names; another version than before drops what it did not say."""
        version = str(answer.parameters.get(MODEL_VERSION_PARAMETER, ""))
        if not version or version.endswith(LEXICAL_SUFFIX):
            # Nothing was scored, or not by the model.
            return
        if snapshot != self._snapshot or version != self.version:
            self._rows.clear()
            self._snapshot, self.version, self.parameters = snapshot, version, dict(answer.parameters)
        ends_s = time.monotonic() + self._ttl_s
        columns = [list(answer.outputs[spec.name]) for spec in CLIENT_OUTPUTS]
        for key, values in zip(keys, zip(*columns, strict=True), strict=True):
            if len(key[0]) + len(key[1]) <= _LONGEST_KEY:
                self._rows[key] = Row(values, ends_s)
                self._rows.move_to_end(key)
        while len(self._rows) > self._names:
            self._rows.popitem(last=False)

    def answer(self, rows: Sequence[tuple[Any, ...]]) -> InferAnswer:
        """An answer of rows that were looked up."""
        outputs = {}
        for spec, column in zip(CLIENT_OUTPUTS, zip(*rows, strict=True), strict=True):
            outputs[spec.name] = np.array(column, spec.dtype).reshape(len(rows), *spec.shape[1:])
        return InferAnswer(outputs, dict(self.parameters))


def filled(
    found: Sequence[tuple[Any, ...] | None], answer: InferAnswer, parameters: Mapping[str, Parameter]
) -> InferAnswer:
    """The answer for all names: rows that were found, and in their places those of the missing ones."""
    missing = np.array([row is None for row in found])
    outputs = {}
    for place, spec in enumerate(CLIENT_OUTPUTS):
        column = np.empty((len(found), *spec.shape[1:]), spec.dtype)
        column[missing] = answer.outputs[spec.name]
        for row, values in enumerate(found):
            if values is not None:
                column[row] = values[place]
        outputs[spec.name] = column
    return InferAnswer(outputs, dict(parameters))


class RememberedScores:
    """`Rounds.ask` with a memory before it."""

    def __init__(
        self, ask: Ask, cache: ScoreCache, snapshot: Callable[[], str], looked_up: Callable[[int, int], None]
    ) -> None:
        """Put a cache before a way to ask.

        Args:
            ask: answers names that are not known.
            cache: what is known.
            snapshot: id of the graph snapshot in use.
            looked_up: told of hits and misses.
        """
        self._ask = ask
        self._cache = cache
        self._snapshot = snapshot
        self._looked_up = looked_up

    async def ask(
        self, names: list[bytes], answers: list[bytes] | None, deadline: Deadline, forward: Mapping[str, str]
    ) -> InferAnswer:
        """The answer to one request's names.

        Raises:
            RiskError: as `Rounds.ask`.
        """
        keys, snapshot = keys_of(names, answers), self._snapshot()
        found = self._cache.look_up(keys, snapshot)
        missing = [place for place, row in enumerate(found) if row is None]
        self._looked_up(len(names) - len(missing), len(missing))
        if not missing:
            return self._cache.answer([row for row in found if row is not None])
        version = self._cache.version
        fresh = await self._ask(*_at(missing, names, answers), deadline, forward)
        self._cache.learn([keys[place] for place in missing], fresh, snapshot)
        if len(missing) == len(names):
            return fresh
        if fresh.parameters.get(MODEL_VERSION_PARAMETER, version) != version:
            # One answer is never of two models.
            return await self._ask(names, answers, deadline, forward)
        return filled(found, fresh, self._cache.parameters)


def _at(
    places: list[int], names: list[bytes], answers: list[bytes] | None
) -> tuple[list[bytes], list[bytes] | None]:
    return [names[place] for place in places], answers and [answers[place] for place in places]
