"""Requests that come at the same time share their features and their call to the predictor.

No waiting timer, as in the predictor's batcher: while few calls are under way an arrival starts the next one
in this round of the event loop, with all that was read in it; while enough are, arrivals gather. A call that
takes long gives its place away, so that one slow replica of the predictor stops nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from contract.errors import Overloaded, RiskError, ScoringFailed
from serving.deadline import Deadline
from serving.model import InferAnswer

logger = logging.getLogger(__name__)

# Calls to the predictor that keep arrivals waiting, and for how long each does at most.
_PLACES: Final = 2
_PLACE_S: Final = 0.02
# Requests of more names wait in a line of their own: single names never wait for a row of large ones.
_FEW_NAMES: Final = 16


@dataclass(slots=True, eq=False)
class Asked:
    """The names of one request, and where their answer goes."""

    names: list[bytes]
    answers: list[bytes] | None
    deadline: Deadline
    forward: Mapping[str, str]
    told: asyncio.Future[InferAnswer]


@dataclass(slots=True, eq=False)
class Round:
    """Requests that are answered by one call."""

    asked: list[Asked]
    keeps_place: bool = True
    task: asyncio.Task[None] | None = field(default=None)

    @property
    def names(self) -> list[bytes]:
        """All names, request by request."""
        return [name for asked in self.asked for name in asked.names]

    @property
    def answers(self) -> list[bytes] | None:
        """As many answers, empty where a request has none; None where no request has any."""
        if all(asked.answers is None for asked in self.asked):
            return None
        return [text for asked in self.asked for text in asked.answers or [b""] * len(asked.names)]

    @property
    def deadline(self) -> Deadline:
        """The last of the requests' deadlines; those of the others end their own waiting."""
        return max(asked.deadline for asked in self.asked)

    @property
    def forward(self) -> Mapping[str, str]:
        """What to hand downstream: of several requests the trace of the first."""
        return self.asked[0].forward

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits any more."""
        return all(asked.told.done() for asked in self.asked)


@dataclass(frozen=True, slots=True)
class RoundLimits:
    """Names that are scored together, no more than the predictor takes in one request; and that may wait."""

    round: int
    queue: int


class Rounds:
    """The requests of one process on their way through features and predictor."""

    def __init__(self, work: Callable[[Round], Awaitable[InferAnswer]], limits: RoundLimits) -> None:
        """Set up two empty lines; `work` answers all names of a round."""
        self._work = work
        self._limits = limits
        self._lines: tuple[deque[Asked], deque[Asked]] = (deque(), deque())
        self._turn = 0
        self._queued = 0
        self._under_way: set[Round] = set()
        self._places = _PLACES
        self._starting = False

    async def ask(
        self, names: list[bytes], answers: list[bytes] | None, deadline: Deadline, forward: Mapping[str, str]
    ) -> InferAnswer:
        """The answer to one request's names.

        Raises:
            Overloaded: too many names wait.
            RiskError: what the work raises.
        """
        if self._queued and self._queued + len(names) > self._limits.queue:
            raise Overloaded(f"{self._queued} names wait for a score, try again later")
        loop = asyncio.get_running_loop()
        asked = Asked(names, answers, deadline, forward, loop.create_future())
        self._lines[len(names) > _FEW_NAMES].append(asked)
        self._queued += len(names)
        self._start_soon()
        try:
            return await asked.told
        except asyncio.CancelledError:
            self._end_abandoned()
            raise

    def _start_soon(self) -> None:
        # At the end of this round of the loop: what else was read in it comes along.
        if self._places > 0 and not self._starting:
            self._starting = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._starting = False
        while self._places > 0:
            asked = self._take()
            if not asked:
                return
            self._begin(Round(asked))

    def _take(self) -> list[Asked]:
        """The next requests of the line whose turn it is, as far as they fit into one round."""
        self._turn = 1 - self._turn
        line = self._lines[self._turn] or self._lines[1 - self._turn]
        taken: list[Asked] = []
        size = 0
        while line:
            head = line[0]
            alive = not (head.told.done() or head.deadline.expired)
            if alive and taken and size + len(head.names) > self._limits.round:
                break
            line.popleft()
            self._queued -= len(head.names)
            if alive:
                taken.append(head)
                size += len(head.names)
        return taken

    def _begin(self, started: Round) -> None:
        self._places -= 1
        self._under_way.add(started)
        loop = asyncio.get_running_loop()
        started.task = loop.create_task(self._run(started))
        loop.call_later(_PLACE_S, self._give_place, started)

    async def _run(self, started: Round) -> None:
        try:
            _tell(started.asked, await self._work(started))
        except asyncio.CancelledError:
            _fail(started.asked, ScoringFailed("the work was cancelled"))
            raise
        except RiskError as refusal:
            _fail(started.asked, refusal)
        except Exception:
            logger.exception("round_failed")
            _fail(started.asked, ScoringFailed("the names could not be scored"))
        finally:
            self._under_way.discard(started)
            self._give_place(started)

    def _give_place(self, started: Round) -> None:
        if started.keeps_place:
            started.keeps_place = False
            self._places += 1
            self._start_soon()

    def _end_abandoned(self) -> None:
        for started in self._under_way:
            if started.abandoned and started.task is not None:
                started.task.cancel()

    async def stop(self) -> None:
        """End what is under way."""
        tasks = [started.task for started in self._under_way if started.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell(asked: Sequence[Asked], answer: InferAnswer) -> None:
    first = 0
    for one in asked:
        last = first + len(one.names)
        if not one.told.done():
            outputs = {name: array[first:last] for name, array in answer.outputs.items()}
            one.told.set_result(InferAnswer(outputs, answer.parameters))
        first = last


def _fail(asked: Sequence[Asked], error: RiskError) -> None:
    for one in asked:
        if not one.told.done():
            # Each its own: raised in many tasks, one exception would gather the traceback of all.
            one.told.set_exception(type(error)(str(error)))
