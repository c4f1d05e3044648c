"""The loop around `packing`: admit, wait for the device, run, reply.

No waiting timer. While the device is idle an arrival runs at once; while it works, arrivals gather and
the next batch is whatever waits when the device comes free, so batch size follows load by itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from contract.errors import (
    DeadlineExceeded,
    InvalidTensors,
    Overloaded,
    PredictorUnavailable,
    RiskError,
    ScoringFailed,
)
from contract.graphs import DomainGraphs
from predictor.packing import EMPTY, Batch, Size, can_admit, take_batch
from predictor.scorer import Scores
from serving.deadline import Deadline

logger = logging.getLogger(__name__)


@runtime_checkable
class Ticket(Protocol):
    """A batch that was handed to the device."""

    def result(self) -> Scores:
        """Block until the scores are on the host."""


@runtime_checkable
class Device(Protocol):
    """What the batcher needs of a scorer; `launch` is called by one thread only."""

    @property
    def pipeline_depth(self) -> int:
        """How many batches may be under way: 1 where launching computes, 2 where it only enqueues."""

    def launch(self, batch: Sequence[DomainGraphs]) -> Ticket: ...


@runtime_checkable
class BatchObserver(Protocol):
    """Where the batcher reports what it sees."""

    def queue_changed(self, requests: int, graphs: int) -> None: ...

    def left_queue(self, waited_s: float) -> None: ...

    def dropped(self, reason: str) -> None: ...

    def batch_done(self, size: Size, seconds: float) -> None: ...


@dataclass(slots=True, eq=False)
class Waiting:
    """One admitted request and the future its caller awaits."""

    graphs: DomainGraphs
    size: Size
    deadline: Deadline
    answer: asyncio.Future[Scores]
    arrived_s: float = field(default_factory=time.monotonic)

    def is_dead(self) -> bool:
        # A caller that leaves cancels its await, and with it the future.
        return self.answer.done() or self.deadline.expired


def size_of(graphs: DomainGraphs) -> Size:
    """What a batch of graphs costs."""
    return Size(graphs.graph_count, graphs.node_count, graphs.edge_count)


class Batcher:
    """One queue in front of one device; every admitted request is answered, whatever happens."""

    def __init__(self, device: Device, budget: Size, queue_limit: Size, observer: BatchObserver) -> None:
        self._device = device
        self._budget = budget
        self._queue_limit = queue_limit
        self._observer = observer
        self._queue: deque[Waiting] = deque()
        self._queued = EMPTY
        self._under_way: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._closed: str | None = None
        self._running = False
        # The launcher alone touches the device; the waiter only blocks until results are on the host.
        self._launcher = ThreadPoolExecutor(1, thread_name_prefix="device")
        self._waiter = ThreadPoolExecutor(1, thread_name_prefix="device-wait")

    @property
    def is_open(self) -> bool:
        """Whether a request handed in now would be queued."""
        return self._running and self._closed is None

    async def submit(self, graphs: DomainGraphs, deadline: Deadline) -> Scores:
        """Queue graphs and wait for their scores.

        Raises:
            InvalidTensors: more nodes or edges than any batch may hold.
            Overloaded: the queue is full.
            DeadlineExceeded: the deadline passed while waiting.
            PredictorUnavailable: the batcher is closed, or its loop has died.
            ScoringFailed: the model raised on the batch.
        """
        request = self._admit(graphs, deadline)
        try:
            async with asyncio.timeout(deadline.remaining_s()):
                return await request.answer
        except TimeoutError:
            raise _deadline_passed() from None

    def _admit(self, graphs: DomainGraphs, deadline: Deadline) -> Waiting:
        if self._closed is not None:
            raise PredictorUnavailable(self._closed)
        size = size_of(graphs)
        _check_fits(size, self._budget)
        if not can_admit(self._queued, size, self._queue_limit):
            self._observer.dropped("overloaded")
            raise Overloaded(f"queue is full ({self._queued.nodes} nodes wait); try again later")
        request = Waiting(graphs, size, deadline, asyncio.get_running_loop().create_future())
        self._queue.append(request)
        self._count(size)
        self._changed.set()
        return request

    async def run(self) -> None:
        """Serve the queue until `close`; when the loop dies, waiting callers are told before it raises."""
        self._running = True
        try:
            while self._closed is None or self._queue or self._under_way:
                self._start_batches()
                self._changed.clear()
                await self._changed.wait()
        except BaseException as failure:
            self._refuse_all("the batch loop has stopped")
            if not isinstance(failure, asyncio.CancelledError):
                logger.exception("the batch loop died. This is a bug.")
            raise
        finally:
            self._launcher.shutdown(wait=False)
            self._waiter.shutdown(wait=False)

    def close(self) -> None:
        """Admit nothing more; `run` returns when everything admitted is answered."""
        self._closed = self._closed or "the predictor is shutting down"
        self._changed.set()

    def _start_batches(self) -> None:
        while self._queue and len(self._under_way) < self._device.pipeline_depth:
            batch = take_batch(self._queue, self._budget, Waiting.is_dead)
            self._account(batch)
            if batch.requests:
                task = asyncio.create_task(self._score(batch))
                self._under_way.add(task)
                task.add_done_callback(self._batch_ended)

    def _account(self, batch: Batch[Waiting]) -> None:
        now_s = time.monotonic()
        for request in batch.dropped:
            self._count(EMPTY - request.size)
            self._observer.dropped("deadline" if request.deadline.expired else "caller_gone")
            _fail(request, _deadline_passed())
        for request in batch.requests:
            self._observer.left_queue(now_s - request.arrived_s)
        self._count(EMPTY - batch.size)

    def _count(self, change: Size) -> None:
        self._queued += change
        self._observer.queue_changed(len(self._queue), self._queued.graphs)

    def _batch_ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._changed.set()

    async def _score(self, batch: Batch[Waiting]) -> None:
        started = time.perf_counter()
        try:
            scores = await self._on_device([request.graphs for request in batch.requests])
        except Exception:
            logger.exception("a batch of %d requests failed", len(batch.requests))
            for request in batch.requests:
                _fail(request, ScoringFailed("the model could not score this batch"))
            return
        self._observer.batch_done(batch.size, time.perf_counter() - started)
        _reply(batch.requests, scores)

    async def _on_device(self, graphs: Sequence[DomainGraphs]) -> Scores:
        loop = asyncio.get_running_loop()
        ticket = await loop.run_in_executor(self._launcher, self._device.launch, graphs)
        if self._device.pipeline_depth == 1:
            return ticket.result()
        return await loop.run_in_executor(self._waiter, ticket.result)

    def _refuse_all(self, reason: str) -> None:
        self._closed = reason
        while self._queue:
            _fail(self._queue.popleft(), PredictorUnavailable(reason))
        self._queued = EMPTY


def _check_fits(size: Size, budget: Size) -> None:
    for what, got, limit in (
        ("graphs", size.graphs, budget.graphs),
        ("nodes", size.nodes, budget.nodes),
        ("edges", size.edges, budget.edges),
    ):
        if got > limit:
            raise InvalidTensors(f"expected at most {limit} {what} a request, got {got}: send fewer graphs")


def _reply(requests: Sequence[Waiting], scores: Scores) -> None:
    first = 0
    for request in requests:
        last = first + request.size.graphs
        if not request.answer.done():
            request.answer.set_result(scores[first:last])
        first = last


def _fail(request: Waiting, error: RiskError) -> None:
    if not request.answer.done():
        request.answer.set_exception(error)


def _deadline_passed() -> DeadlineExceeded:
    return DeadlineExceeded("the deadline passed before the graphs were scored")
