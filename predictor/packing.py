"""What to run next: a pure function of the queue and a budget, without clocks, locks or an event loop.

The budget is nodes and edges, not requests, since the cost of a request varies a hundredfold. After
text-embeddings-inference, `core/src/queue.rs`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable


@dataclass(frozen=True, slots=True)
class Size:
    """What a request costs: numbers of graphs, nodes and edges."""

    graphs: int
    nodes: int
    edges: int

    def __add__(self, other: Size) -> Size:
        return Size(self.graphs + other.graphs, self.nodes + other.nodes, self.edges + other.edges)

    def __sub__(self, other: Size) -> Size:
        return Size(self.graphs - other.graphs, self.nodes - other.nodes, self.edges - other.edges)

    def fits(self, limit: Size) -> bool:
        """Whether no count exceeds its limit.

        >>> Size(1, 20, 40).fits(Size(8, 100, 100)), Size(1, 101, 0).fits(Size(8, 100, 100))
        (True, False)
        """
        return self.graphs <= limit.graphs and self.nodes <= limit.nodes and self.edges <= limit.edges


EMPTY = Size(0, 0, 0)


@runtime_checkable
class Queued(Protocol):
    """What packing has to know of a waiting request."""

    @property
    def size(self) -> Size: ...


R = TypeVar("R", bound=Queued)


@dataclass(slots=True)
class Batch(Generic[R]):
    """The requests to run together, and those that left the queue without running."""

    requests: list[R]
    dropped: list[R]
    size: Size = EMPTY


def can_admit(queued: Size, arriving: Size, queue_limit: Size) -> bool:
    """Whether a queue holding `queued` has room for an arrival."""
    return (queued + arriving).fits(queue_limit)


def take_batch(queue: deque[R], budget: Size, is_dead: Callable[[R], bool]) -> Batch[R]:
    """Pop requests in order of arrival until the next one would exceed the budget.

    Requests whose caller has gone or whose deadline has passed are dropped here, before they cost
    anything. A request larger than the whole budget runs alone, so that it cannot block the queue.
    """
    batch: Batch[R] = Batch([], [])
    while queue:
        head = queue[0]
        if is_dead(head):
            batch.dropped.append(queue.popleft())
            continue
        joined = batch.size + head.size
        if batch.requests and not joined.fits(budget):
            break
        batch.requests.append(queue.popleft())
        batch.size = joined
    return batch
