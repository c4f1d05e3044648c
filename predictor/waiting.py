"""What the batcher works with: requests that wait, devices that score, and whoever is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from contract.errors import RiskError
from contract.graphs import DomainGraphs
from predictor.packing import Size
from predictor.raw_graphs import RawGraphs
from predictor.scorer import Scores
from serving.deadline import Deadline

# Checked arrays, or the bytes of a request that are checked with the rest of their batch.
Graphs: TypeAlias = DomainGraphs | RawGraphs


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

    def launch(self, batch: Sequence[Graphs]) -> Ticket:
        """Start scoring; BrokenRequests says which requests of the batch break the contract."""


@runtime_checkable
class Answer(Protocol):
    """Where the scores of one request go: a future, or what stands for one."""

    def done(self) -> bool: ...

    def set_result(self, scores: Scores, /) -> None: ...

    def set_exception(self, error: RiskError, /) -> None: ...


@runtime_checkable
class BatchObserver(Protocol):
    """Where the batcher reports what it sees."""

    def left_queue(self, waited_s: float) -> None: ...

    def dropped(self, reason: str) -> None: ...

    def batch_done(self, size: Size, seconds: float) -> None: ...


@dataclass(slots=True, eq=False)
class Waiting:
    """One admitted request and where its scores go."""

    graphs: Graphs
    size: Size
    deadline: Deadline
    answer: Answer
    arrived_s: float = field(default_factory=time.monotonic)

    def fail(self, error: RiskError) -> None:
        """Tell whoever still waits."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def is_dead(self) -> bool:
        # A caller that leaves cancels its await, and with it the future.
        return self.answer.done() or self.deadline.expired


def size_of(graphs: Graphs) -> Size:
    """What a batch of graphs costs."""
    return Size(graphs.graph_count, graphs.node_count, graphs.edge_count)
