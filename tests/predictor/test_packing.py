from collections import deque
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from predictor.packing import EMPTY, Size, can_admit, take_batch


@dataclass(frozen=True, slots=True)
class Request:
    size: Size
    dead: bool = False


def is_dead(request: Request) -> bool:
    return request.dead


sizes = st.builds(Size, st.integers(1, 40), st.integers(1, 400), st.integers(0, 800))
requests = st.lists(st.builds(Request, sizes, st.booleans()), max_size=20)
BUDGET = Size(64, 500, 1000)


@given(requests)
def test_nothing_is_lost_or_reordered(waiting: list[Request]) -> None:
    """Batched, dropped and still waiting requests are together those that waited, in order."""
    queue = deque(waiting)
    batch = take_batch(queue, BUDGET, is_dead)
    taken = len(batch.requests) + len(batch.dropped)
    assert list(queue) == waiting[taken:]
    assert batch.requests == [request for request in waiting[:taken] if not request.dead]
    assert batch.dropped == [request for request in waiting[:taken] if request.dead]


@given(requests)
def test_a_batch_keeps_the_budget_unless_it_is_one_request(waiting: list[Request]) -> None:
    """Two requests are joined only while their nodes, edges and graphs fit the budget."""
    batch = take_batch(deque(waiting), BUDGET, is_dead)
    assert batch.size == sum((request.size for request in batch.requests), start=EMPTY)
    assert batch.size.fits(BUDGET) or len(batch.requests) == 1


@given(requests)
def test_the_loop_ends(waiting: list[Request]) -> None:
    """As long as somebody waits, taking a batch takes somebody."""
    queue = deque(waiting)
    while queue:
        before = len(queue)
        take_batch(queue, BUDGET, is_dead)
        assert len(queue) < before


def test_the_next_request_waits_when_it_does_not_fit() -> None:
    """First come, first served: a small request does not overtake a large one."""
    large, small = Request(Size(1, 300, 10)), Request(Size(1, 1, 0))
    queue = deque([large, large, small])
    assert take_batch(queue, BUDGET, is_dead).requests == [large]
    assert take_batch(queue, BUDGET, is_dead).requests == [large, small]


def test_admission_counts_what_waits() -> None:
    """A request is admitted while the queue with it stays inside the limit."""
    limit = Size(10, 100, 100)
    assert can_admit(Size(9, 90, 90), Size(1, 10, 10), limit)
    assert not can_admit(Size(9, 91, 90), Size(1, 10, 10), limit)
