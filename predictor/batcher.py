"""The loop around `packing`: admit, wait for the device, run, reply.

No waiting timer. While the device is idle an arrival runs at once; while it works, arrivals gather and
the next batch is whatever waits when the device comes free, so batch size follows load by itself.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from contract.errors import (
    DeadlineExceeded,
    InvalidTensors,
    Overloaded,
    PredictorUnavailable,
    ScoringFailed,
)
from predictor.packing import EMPTY, Batch, Size, can_admit, take_batch
from predictor.raw_graphs import BrokenRequests
from predictor.scorer import Scores
from predictor.waiting import Answer, BatchObserver, Device, Graphs, Waiting, size_of
from serving.deadline import Deadline

logger = logging.getLogger(__name__)

# How long the event loop may stand still for a batch: probes and refusals wait as long.
LOOP_LIMIT_S: Final = 0.005


class Batcher:
    """One queue in front of one device; every admitted request is answered, whatever happens."""

    def __init__(
        self,
        device: Device,
        budget: Size,
        queue_limit: Size,
        observer: BatchObserver,
        *,
        on_loop: bool = False,
    ) -> None:
        """Set up an empty queue.

        Args:
            device: what scores.
            budget: the largest batch, and the largest request.
            queue_limit: what may wait.
            observer: told of what happens.
            on_loop: launch on the event loop, between rounds of reading, what is expected to take less than
                `LOOP_LIMIT_S`. On one core this saves handing over to a thread and contending with it.
        """
        self._device = device
        self._on_loop = on_loop
        # As good as was seen lately, in large batches; unknown at first.
        self._seconds_per_node = math.inf
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
    def queued_requests(self) -> int:
        """How many requests wait."""
        return len(self._queue)

    @property
    def queued_graphs(self) -> int:
        """How many graphs wait."""
        return self._queued.graphs

    @property
    def is_open(self) -> bool:
        """Whether a request handed in now would be queued."""
        return self._running and self._closed is None

    async def submit(self, graphs: Graphs, deadline: Deadline) -> Scores:
        """Queue graphs and wait for their scores.

        Raises:
            InvalidTensors: more nodes or edges than any batch may hold.
            Overloaded: the queue is full.
            DeadlineExceeded: the deadline passed while waiting.
            PredictorUnavailable: the batcher is closed, or its loop has died.
            ScoringFailed: the model raised on the batch.
        """
        answer: asyncio.Future[Scores] = asyncio.get_running_loop().create_future()
        self.enqueue(graphs, deadline, answer)
        try:
            async with asyncio.timeout(deadline.remaining_s()):
                return await answer
        except TimeoutError:
            raise _deadline_passed() from None

    def enqueue(self, graphs: Graphs, deadline: Deadline, answer: Answer) -> None:
        """Queue graphs whose scores are put into `answer`, as is any refusal after this.

        Raises:
            InvalidTensors, Overloaded, PredictorUnavailable: as `submit`; nothing was queued.
        """
        if self._closed is not None:
            raise PredictorUnavailable(self._closed)
        size = size_of(graphs)
        _check_fits(size, self._budget)
        if not can_admit(self._queued, size, self._queue_limit):
            self._observer.dropped("overloaded")
            raise Overloaded(f"queue is full ({self._queued.nodes} nodes wait); try again later")
        self._queue.append(Waiting(graphs, size, deadline, answer))
        self._queued += size
        self._changed.set()

    async def run(self) -> None:
        """Serve the queue until `close`; when the loop dies, waiting callers are told before it raises."""
        self._running = True
        try:
            while self._closed is None or self._queue or self._under_way:
                quick = self._start_batches()
                if quick is not None:
                    await self._score(quick, here=True)
                    # One round of the loop: answers leave, and what has arrived is read.
                    await asyncio.sleep(0)
                    continue
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

    def _take(self) -> Batch[Waiting]:
        batch = take_batch(self._queue, self._budget, Waiting.is_dead)
        self._account(batch)
        return batch

    def _start_batches(self) -> Batch[Waiting] | None:
        """Start what the device takes in its thread; a batch that is better scored here is handed back."""
        while self._queue and len(self._under_way) < self._device.pipeline_depth:
            batch = self._take()
            if batch.requests and self._is_quick(batch.size):
                return batch
            if batch.requests:
                task = asyncio.create_task(self._score(batch))
                self._under_way.add(task)
                task.add_done_callback(self._batch_ended)
        return None

    def _is_quick(self, size: Size) -> bool:
        return self._on_loop and self._seconds_per_node * size.nodes < LOOP_LIMIT_S

    def _account(self, batch: Batch[Waiting]) -> None:
        now_s = time.monotonic()
        for request in batch.dropped:
            self._queued -= request.size
            self._observer.dropped("deadline" if request.deadline.expired else "caller_gone")
            request.fail(_deadline_passed())
        for request in batch.requests:
            self._observer.left_queue(now_s - request.arrived_s)
        self._queued -= batch.size

    def _batch_ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._changed.set()

    async def _score(self, batch: Batch[Waiting], *, here: bool = False) -> None:
        started = time.perf_counter()
        try:
            scores = await self._on_device([request.graphs for request in batch.requests], here=here)
        except BrokenRequests as broken:
            await self._score_the_others(batch, broken, here=here)
            return
        except Exception:
            logger.exception("a batch of %d requests failed", len(batch.requests))
            for request in batch.requests:
                request.fail(ScoringFailed("the model could not score this batch"))
            return
        seconds = time.perf_counter() - started
        self._seconds_per_node = min(seconds / batch.size.nodes, 1.1 * self._seconds_per_node)
        self._observer.batch_done(batch.size, seconds)
        _reply(batch.requests, scores)

    async def _score_the_others(self, batch: Batch[Waiting], broken: BrokenRequests, *, here: bool) -> None:
        for place, error in broken.errors.items():
            batch.requests[place].fail(error)
        others = [request for place, request in enumerate(batch.requests) if place not in broken.errors]
        if others:
            size = sum((request.size for request in others), EMPTY)
            await self._score(Batch(others, [], size), here=here)

    async def _on_device(self, graphs: Sequence[Graphs], *, here: bool) -> Scores:
        if here:
            return self._device.launch(graphs).result()
        loop = asyncio.get_running_loop()
        ticket = await loop.run_in_executor(self._launcher, self._device.launch, graphs)
        if self._device.pipeline_depth == 1:
            return ticket.result()
        return await loop.run_in_executor(self._waiter, ticket.result)

    def _refuse_all(self, reason: str) -> None:
        self._closed = reason
        while self._queue:
            self._queue.popleft().fail(PredictorUnavailable(reason))
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


def _deadline_passed() -> DeadlineExceeded:
    return DeadlineExceeded("the deadline passed before the graphs were scored")
