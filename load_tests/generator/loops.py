"""Closed and open loops over connections that are already made."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import Any, Final

from load_tests.generator.answers import OK, Connection, unheard
from load_tests.generator.tally import Tally

PATIENCE_S: Final = 10.0
MAX_BEHIND: Final = 20_000
UNANSWERED: Final = f"no answer within {PATIENCE_S:.0f} s after the end"
NOT_SENT: Final = f"not sent: {MAX_BEHIND} were under way"


class _Load:
    """The answers of one load; those between `begin_s` and `end_s` are measured."""

    def __init__(self, connections: Sequence[Connection], begin_s: float, seconds: float) -> None:
        self.connections = connections
        self.begin_s = begin_s
        self.end_s = begin_s + seconds
        self.tally = Tally(seconds)
        self.under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        for connection in connections:
            connection.on_answer = self.answered

    def answered(self, connection: Connection, intended_s: float, ended: str, now_s: float) -> None:
        self.under_way -= 1
        if ended != OK:
            self.tally.failures[ended] += 1
        else:
            self.tally.good += 1
            if self.begin_s <= now_s < self.end_s:
                self.tally.answers += 1
                self.tally.latencies_s.append(now_s - intended_s)
        self.go_on(connection, now_s)
        if not self.under_way:
            self._idle.set()

    def go_on(self, connection: Connection, now_s: float) -> None:
        """What follows on an answer."""

    async def ended(self) -> Tally:
        """The tally once the time is over and everything sent is answered."""
        await asyncio.sleep(self.end_s - time.perf_counter())
        if self.under_way:
            self._idle.clear()
            try:
                await asyncio.wait_for(self._idle.wait(), PATIENCE_S)
            except TimeoutError:
                self.tally.failures[UNANSWERED] += self.under_way
        for connection in self.connections:
            connection.on_answer = unheard
        return self.tally


class _ClosedLoop(_Load):
    def __init__(
        self, connections: Sequence[Connection], requests: Sequence[Any], begin_s: float, seconds: float
    ) -> None:
        super().__init__(connections, begin_s, seconds)
        self._supply = itertools.cycle(requests)

    def go_on(self, connection: Connection, now_s: float) -> None:
        if now_s < self.end_s and not connection.closed:
            self.under_way += 1
            connection.send(next(self._supply), now_s)


async def closed_loop(
    connections: Sequence[Connection],
    requests: Sequence[Any],
    in_flight: int,
    seconds: float,
    warm_up_s: float = 0.3,
) -> Tally:
    """So many callers, each of which sends its next request when it is answered.

    Args:
        connections: callers are dealt out over them in turn.
        requests: sent in order, over and over.
        in_flight: number of callers.
        seconds: for how long answers are counted, after `warm_up_s`.
        warm_up_s: seconds at first that do not count; their failures do.
    """
    now_s = time.perf_counter()
    load = _ClosedLoop(connections, requests, now_s + warm_up_s, seconds)
    for _, connection in zip(range(in_flight), itertools.cycle(connections), strict=False):
        load.go_on(connection, now_s)
    for connection in connections:
        connection.flush()
    return await load.ended()


async def open_loop(
    connections: Sequence[Connection],
    requests: Sequence[Any],
    per_second: float,
    seconds: float,
    *,
    warm_up_s: float = 0.3,
    spin: bool = True,
) -> Tally:
    """Requests at a constant rate whatever becomes of them; latency counts from the intended moment.

    Args:
        connections: requests are dealt out over them in turn.
        requests: sent in order, over and over.
        per_second: rate.
        seconds: for how long answers are counted, after `warm_up_s`.
        warm_up_s: seconds at first that do not count; their failures do.
        spin: look at the clock without sleeping, which takes a whole core; else requests go out at the
            loop's next millisecond.
    """
    start_s = time.perf_counter()
    load = _Load(connections, start_s + warm_up_s, seconds)
    supply = itertools.cycle(requests)
    lines = itertools.cycle(connections)
    total = int(per_second * (warm_up_s + seconds))
    sent = 0
    while sent < total:
        now_s = time.perf_counter()
        due = min(total, int((now_s - start_s) * per_second) + 1)
        for number in range(sent, due):
            _send(load, next(lines), next(supply), start_s + number / per_second, now_s)
        if due > sent:
            for connection in connections:
                connection.flush()
        sent = due
        await asyncio.sleep(0 if spin else 0.001)
    return await load.ended()


def _send(load: _Load, connection: Connection, request: Any, intended_s: float, now_s: float) -> None:
    if load.under_way >= MAX_BEHIND or connection.closed:
        load.tally.failures["connection lost" if connection.closed else NOT_SENT] += 1
        return
    load.under_way += 1
    load.tally.lags_s.append(now_s - intended_s)
    connection.send(request, intended_s)
