import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import pytest

from contract.errors import DeadlineExceeded, InvalidTensors, Overloaded, PredictorUnavailable, ScoringFailed
from contract.graphs import DomainGraphs, union
from predictor.batcher import Batcher
from predictor.packing import Size
from predictor.scorer import Scores
from serving.deadline import Deadline
from tests.graphs import random_graphs

BUDGET = Size(8, 1000, 1000)
ROOMY = Size(64, 10_000, 10_000)
RNG = np.random.default_rng(5)
PATIENT = 5.0


@dataclass
class GatedDevice:
    """A device whose every batch waits for the gate, and which scores a graph by its node count."""

    pipeline_depth: int = 1
    gate: threading.Event = field(default_factory=threading.Event)
    batches: list[int] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    failure: Exception | None = None

    def launch(self, batch: Sequence[DomainGraphs]) -> "GatedDevice.Ticket":
        self.threads.add(threading.current_thread().name)
        graphs = union(batch)
        self.batches.append(graphs.graph_count)
        if self.pipeline_depth == 1:
            assert self.gate.wait(PATIENT)
        if self.failure is not None:
            raise self.failure
        return GatedDevice.Ticket(self, np.diff(graphs.node_offsets).astype(np.float32))

    @dataclass
    class Ticket:
        device: "GatedDevice"
        nodes: np.ndarray

        def result(self) -> Scores:
            assert self.device.gate.wait(PATIENT)
            return Scores(np.tile(self.nodes[:, None], (1, 4)), self.nodes, self.nodes)


@dataclass
class Observed:
    sizes: list[Size] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def left_queue(self, waited_s: float) -> None:
        self.waited_s.append(waited_s)

    def dropped(self, reason: str) -> None:
        self.reasons.append(reason)

    def batch_done(self, size: Size, seconds: float) -> None:
        assert seconds > 0
        self.sizes.append(size)


@asynccontextmanager
async def running(
    device: GatedDevice, queue_limit: Size = ROOMY, observer: Observed | None = None
) -> AsyncIterator[Batcher]:
    batcher = Batcher(device, BUDGET, queue_limit, observer or Observed())
    engine = asyncio.create_task(batcher.run())
    await asyncio.sleep(0)
    try:
        yield batcher
    finally:
        device.gate.set()
        batcher.close()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(engine, PATIENT)


def graphs(count: int = 1, nodes: int = 3) -> DomainGraphs:
    return random_graphs(RNG, count, nodes=nodes)


def soon() -> Deadline:
    return Deadline.after(PATIENT)


async def until_launched(device: GatedDevice, batches: int = 1) -> None:
    async with asyncio.timeout(PATIENT):
        while len(device.batches) < batches:
            await asyncio.sleep(0.001)


async def test_an_idle_device_scores_at_once() -> None:
    """A lone request does not wait for company."""
    device = GatedDevice()
    async with running(device) as batcher:
        device.gate.set()
        scores = await batcher.submit(graphs(2, nodes=4), soon())
    np.testing.assert_array_equal(scores.risk_score, [4.0, 4.0])


async def test_arrivals_gather_while_the_device_works() -> None:
    """Everything that arrived during a batch is the next batch, and each caller gets its own scores."""
    device, observer = GatedDevice(), Observed()
    async with running(device, observer=observer) as batcher:
        first = asyncio.create_task(batcher.submit(graphs(), soon()))
        await until_launched(device)
        rest = [asyncio.create_task(batcher.submit(graphs(1, nodes=n), soon())) for n in (1, 2, 5)]
        await asyncio.sleep(0)
        device.gate.set()
        answers = await asyncio.gather(first, *rest)
    assert device.batches == [1, 3]
    assert [scores.risk_score.tolist() for scores in answers] == [[3.0], [1.0], [2.0], [5.0]]
    assert [size.graphs for size in observer.sizes] == [1, 3]
    assert len(observer.waited_s) == 4
    assert (batcher.queued_requests, batcher.queued_graphs) == (0, 0)


async def test_one_thread_owns_the_device() -> None:
    """Every launch comes from the same thread, also when two batches may be under way."""
    device = GatedDevice(pipeline_depth=2)
    async with running(device) as batcher:
        tasks = [asyncio.create_task(batcher.submit(graphs(8), soon())) for _ in range(4)]
        await until_launched(device, 2)
        device.gate.set()
        await asyncio.gather(*tasks)
    assert len(device.threads) == 1
    assert device.batches == [8, 8, 8, 8]


async def test_a_second_batch_is_launched_while_the_first_computes() -> None:
    """A device that only enqueues gets its next batch before it has finished the one before."""
    device = GatedDevice(pipeline_depth=2)
    async with running(device) as batcher:
        tasks = [asyncio.create_task(batcher.submit(graphs(8), soon())) for _ in range(3)]
        await until_launched(device, 2)
        assert not any(task.done() for task in tasks)
        assert device.batches == [8, 8]
        device.gate.set()
        await asyncio.gather(*tasks)


async def test_a_full_queue_refuses_at_once() -> None:
    """What the queue cannot hold is refused, what it holds is answered."""
    device = GatedDevice()
    async with running(device, queue_limit=Size(8, 100, 1000)) as batcher:
        first = asyncio.create_task(batcher.submit(graphs(), soon()))
        await until_launched(device)
        queued = asyncio.create_task(batcher.submit(graphs(8), soon()))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="queue is full"):
            await batcher.submit(graphs(), soon())
        device.gate.set()
        await asyncio.gather(first, queued)
        await batcher.submit(graphs(), soon())


async def test_a_passed_deadline_costs_nothing() -> None:
    """A request whose time is up is told so and never reaches the device."""
    device = GatedDevice()
    async with running(device) as batcher:
        first = asyncio.create_task(batcher.submit(graphs(), soon()))
        await until_launched(device)
        with pytest.raises(DeadlineExceeded):
            await batcher.submit(graphs(5), Deadline.after(0.01))
        device.gate.set()
        await first
        await batcher.submit(graphs(2), soon())
    assert device.batches == [1, 2]


async def test_a_caller_that_left_costs_nothing() -> None:
    """A cancelled request leaves the queue without reaching the device."""
    device, observer = GatedDevice(), Observed()
    async with running(device, observer=observer) as batcher:
        first = asyncio.create_task(batcher.submit(graphs(), soon()))
        await until_launched(device)
        gone = asyncio.create_task(batcher.submit(graphs(5), soon()))
        await asyncio.sleep(0)
        gone.cancel()
        device.gate.set()
        await first
        await batcher.submit(graphs(2), soon())
    assert device.batches == [1, 2]
    assert observer.reasons == ["caller_gone"]


async def test_a_failed_batch_fails_only_its_own_requests() -> None:
    """After the model raised, the next request is scored."""
    device = GatedDevice(failure=RuntimeError("boom"))
    async with running(device) as batcher:
        device.gate.set()
        with pytest.raises(ScoringFailed):
            await batcher.submit(graphs(), soon())
        device.failure = None
        assert (await batcher.submit(graphs(), soon())).risk_score.tolist() == [3.0]


async def test_closing_answers_what_was_admitted() -> None:
    """Work in the queue is finished, new work is refused, and the loop ends."""
    device = GatedDevice()
    async with running(device) as batcher:
        tasks = [asyncio.create_task(batcher.submit(graphs(8), soon())) for _ in range(3)]
        await until_launched(device)
        batcher.close()
        assert not batcher.is_open
        with pytest.raises(PredictorUnavailable, match="shutting down"):
            await batcher.submit(graphs(), soon())
        device.gate.set()
        assert [len(scores.risk_score) for scores in await asyncio.gather(*tasks)] == [8, 8, 8]


async def test_a_dead_loop_leaves_nobody_waiting() -> None:
    """When the loop is cancelled or crashes, queued callers are refused and so are new ones."""
    device = GatedDevice()
    batcher = Batcher(device, BUDGET, ROOMY, Observed())
    engine = asyncio.create_task(batcher.run())
    first = asyncio.create_task(batcher.submit(graphs(), soon()))
    await until_launched(device)
    queued = asyncio.create_task(batcher.submit(graphs(), soon()))
    await asyncio.sleep(0)
    engine.cancel()
    with pytest.raises(PredictorUnavailable, match="stopped"):
        await queued
    with pytest.raises(PredictorUnavailable):
        await batcher.submit(graphs(), soon())
    device.gate.set()
    await first


async def test_a_request_over_the_budget_is_the_callers_mistake() -> None:
    """More graphs than any batch may hold is refused with the limit."""
    async with running(GatedDevice()) as batcher:
        with pytest.raises(InvalidTensors, match="at most 8 graphs a request, got 9"):
            await batcher.submit(graphs(9), soon())
