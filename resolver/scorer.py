"""One gRPC channel to the transformer: batches of what waits, without a timer; left alone while away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import grpc
import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tritonclient.grpc import service_pb2

from contract.byte_strings import packed, texts_in
from contract.tensors import (
    ACTION,
    ANSWERS,
    CATEGORY,
    DOMAIN,
    INFER_METHOD,
    NAME_SCORE,
    NOT_SCORED,
    RISK_MODEL,
    RISK_SCORE,
    SCORED_STATUSES,
    STATUS,
)
from resolver.breaker import Breaker
from resolver.pending import Pending
from resolver.score_cache import ACTIONS, CATEGORIES, UNSCORED, Scored
from resolver.wire_names import to_text

_log = logging.getLogger(__name__)
MAX_BATCH: Final = 256
_OUTPUTS: Final = (RISK_SCORE, NAME_SCORE, CATEGORY, ACTION, STATUS)
# What one name of a batch can bring about for all others in it.
_POISON: Final = frozenset({"INVALID_ARGUMENT", "INTERNAL", "UNKNOWN", "UNUSABLE"})
_UNSCORED: Final = Scored(0.0, UNSCORED, "")

OnScored = Callable[[Mapping[bytes, Scored]], None]


class Scorer:
    """Takes names from a line while there are some."""

    def __init__(
        self, target: str, ca_file: Path | None, deadline_s: float, pending: Pending, on_scored: OnScored
    ) -> None:
        self._target = target
        self._ca_file = ca_file
        self._deadline_s = deadline_s
        self._pending = pending
        self._on_scored = on_scored
        self._wake = asyncio.Event()
        self.breaker = Breaker()
        self.calls: dict[str, int] = {}
        """calls by gRPC status, or `UNUSABLE`"""
        self.call_s = 0.0

    def wake(self) -> None:
        """Something waits."""
        self._wake.set()

    async def run(self, lines: int = 2) -> None:
        """Score what waits until cancelled, so many calls at a time, one prepared while one is answered."""
        async with _channel(self._target, self._ca_file) as channel:
            infer = channel.unary_unary(INFER_METHOD)
            async with asyncio.TaskGroup() as group:
                for _ in range(lines):
                    group.create_task(self._line(infer))

    async def _line(self, infer: Any) -> None:
        while True:
            wait_s = self.breaker.wait_s(time.monotonic())
            if wait_s:
                await asyncio.sleep(min(wait_s, 0.1))
                continue
            batch = self._pending.take(MAX_BATCH)
            if not batch:
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._score(infer, batch)
            except Exception:  # noqa: BLE001 - see below
                # A bug of ours: the names of this batch have no score, all others do.
                _log.exception("a batch was not scored")
                self._count("FAILED")

    async def _score(self, infer: Any, batch: dict[bytes, str]) -> None:
        began_s = time.monotonic()
        self.breaker.begin()
        try:
            answer = await infer(request_of(batch), timeout=self._deadline_s)
            scores = scores_in(answer, list(batch))
        except (grpc.RpcError, UnusableAnswer) as failure:
            await self._failed(infer, failure, batch)
        else:
            self._count("OK")
            self.call_s += time.monotonic() - began_s
            self.breaker.succeeded()
            self._on_scored(scores)

    async def _failed(self, infer: Any, failure: Exception, batch: dict[bytes, str]) -> None:
        code = failure.code().name if isinstance(failure, grpc.RpcError) else "UNUSABLE"
        self._count(code)
        if code in _POISON and len(batch) > 1:
            await self._score_halves(infer, batch)
            return
        was_closed = self.breaker.closed
        self.breaker.failed(time.monotonic())
        if was_closed and not self.breaker.closed:
            _log.warning(
                "transformer is left alone for a while", extra={"code": code, "said": _said(failure)}
            )
        if code in _POISON:
            # The same name would fail again.
            return
        # What takes too long may be what some names came with; without it they are like any others.
        self._put_back(dict.fromkeys(batch, "") if code == "DEADLINE_EXCEEDED" else batch)

    async def _score_halves(self, infer: Any, batch: dict[bytes, str]) -> None:
        """One name may have failed a whole batch: find it, so that it hides nobody else's score."""
        names = list(batch)
        for half in (names[: len(names) // 2], names[len(names) // 2 :]):
            part = {name: batch[name] for name in half}
            if self.breaker.wait_s(time.monotonic()):
                self._put_back(part)
            else:
                await self._score(infer, part)

    def _put_back(self, batch: dict[bytes, str]) -> None:
        for name, answers in batch.items():
            self._pending.offer(name, answers)

    def _count(self, code: str) -> None:
        self.calls[code] = self.calls.get(code, 0) + 1


def _said(failure: Exception) -> str:
    text = failure.details() if isinstance(failure, grpc.aio.AioRpcError) else str(failure)
    return (text or "")[:200]


class UnusableAnswer(Exception):
    """A transformer's answer without a row for each name."""


def request_of(batch: Mapping[bytes, str]) -> bytes:
    """A serialised ModelInferRequest for names and what the resolver saw of each."""
    message = service_pb2.ModelInferRequest(model_name=RISK_MODEL)
    columns = [(DOMAIN, [to_text(name) for name in batch])]
    if any(batch.values()):
        columns.append((ANSWERS, list(batch.values())))
    for spec, values in columns:
        message.inputs.add(name=spec.name, datatype=spec.datatype, shape=[len(values)])
        message.raw_input_contents.append(packed(values))
    for spec in _OUTPUTS:
        message.outputs.add(name=spec.name)
    return message.SerializeToString()


def scores_in(answer: bytes, names: list[bytes]) -> dict[bytes, Scored]:
    """The scores in a serialised ModelInferResponse.

    Raises:
        UnusableAnswer: a row or an output is missing, or a value is none that the contract knows.
    """
    try:
        response = service_pb2.ModelInferResponse.FromString(answer)
        outputs = {o.name: raw for o, raw in zip(response.outputs, response.raw_output_contents, strict=True)}
        numbers = [
            np.frombuffer(outputs[spec.name], np.float32).tolist() for spec in (RISK_SCORE, NAME_SCORE)
        ]
        columns = [texts_in(outputs[spec.name]) for spec in (CATEGORY, ACTION, STATUS)]
        rows = zip(names, *numbers, *columns, strict=True)
        return {name: _scored(*row) for name, *row in rows}
    except (DecodeError, KeyError, ValueError) as error:
        raise UnusableAnswer(str(error)) from None


def _scored(score: float, name_score: float, category: str, action: str, status: str) -> Scored:
    if not status.startswith(SCORED_STATUSES):
        return _UNSCORED
    # Unknown with a predictor of an older release: then no score of this name blocks.
    alone = 0.0 if name_score == NOT_SCORED else name_score
    if not (0 <= score <= 1 and 0 <= alone <= 1) or action not in ACTIONS or category not in CATEGORIES:
        raise ValueError(f"{score}, {name_score}, action {action[:20]!r}, category {category[:20]!r}")
    return Scored(score, action, category, alone)


def _channel(target: str, ca_file: Path | None) -> Any:
    # Backoff of the library's own would keep a transformer that is back waiting for two minutes.
    options = [("grpc.max_reconnect_backoff_ms", 1000), ("grpc.initial_reconnect_backoff_ms", 100)]
    if ca_file is None:
        return grpc.aio.insecure_channel(target, options)
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(ca_file.read_bytes()), options)
