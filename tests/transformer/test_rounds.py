from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from contract.errors import Overloaded, PredictorUnavailable, ScoringFailed
from serving.deadline import Deadline
from serving.model import InferAnswer
from transformer.rounds import Asked, Round, RoundLimits, Rounds

PATIENT_S = 5.0


class Work:
    """Answers each name with its length once the gate is open, and remembers its rounds."""

    def __init__(self) -> None:
        self.rounds: list[list[bytes]] = []
        self.gate = asyncio.Event()
        self.cancelled = 0
        self.failure: Exception | None = None

    async def __call__(self, started: Round) -> InferAnswer:
        self.rounds.append(started.names)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        return InferAnswer(
            {"length": np.array([len(name) for name in started.names])}, {"model_version": "1"}
        )


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    """Work that ends with its test."""
    one = Work()
    yield one
    one.gate.set()


def asking(rounds: Rounds, names: list[bytes], deadline_s: float = PATIENT_S) -> asyncio.Task[InferAnswer]:
    """One request under way."""
    return asyncio.create_task(rounds.ask(names, None, Deadline.after(deadline_s), {}))


async def settle() -> None:
    """Let the loop do what it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_comes_together_goes_together(work: Work) -> None:
    """Requests of one round of the loop are one call, and each gets its own rows."""
    work.gate.set()
    rounds = Rounds(work, RoundLimits(256, 1000))
    answers = await asyncio.gather(*(asking(rounds, [b"a" * size, b""]) for size in (1, 2, 3)))
    assert work.rounds == [[b"a", b"", b"aa", b"", b"aaa", b""]]
    assert [answer.outputs["length"].tolist() for answer in answers] == [[1, 0], [2, 0], [3, 0]]


async def test_arrivals_gather_while_calls_are_under_way(work: Work) -> None:
    """Two calls at a time; what comes meanwhile is the next one. A call that takes long stops nobody."""
    rounds = Rounds(work, RoundLimits(256, 1000))
    asked = []
    for name in (b"a", b"b", b"c", b"d"):
        asked.append(asking(rounds, [name]))
        await settle()
    assert work.rounds == [[b"a"], [b"b"]]
    async with asyncio.timeout(PATIENT_S):
        while len(work.rounds) < 3:
            await asyncio.sleep(0.001)
    assert work.rounds[2] == [b"c", b"d"]
    work.gate.set()
    await asyncio.gather(*asked)


async def test_a_round_holds_what_the_predictor_takes(work: Work) -> None:
    """Never more names than allowed together; a request of more goes alone."""
    work.gate.set()
    rounds = Rounds(work, RoundLimits(4, 1000))
    await asyncio.gather(*(asking(rounds, [b"x"] * size) for size in (3, 1, 2, 6, 1)))
    assert [len(names) for names in work.rounds] == [4, 2, 6, 1]


async def test_single_names_do_not_wait_for_a_row_of_batches(work: Work) -> None:
    """Large requests stand in a line of their own, and the lines take turns."""
    rounds = Rounds(work, RoundLimits(20, 1000))
    for _ in range(2):
        asking(rounds, [b"hold"])
        await settle()
    batches = [asking(rounds, [b"batch"] * 20) for _ in range(5)]
    single = asking(rounds, [b"single"])
    await settle()
    work.gate.set()
    await single
    assert sum(not batch.done() for batch in batches) >= 3
    await asyncio.gather(*batches)


async def test_more_than_may_wait_is_refused(work: Work) -> None:
    """At once, while what waits is answered."""
    rounds = Rounds(work, RoundLimits(256, 10))
    for _ in range(2):
        asking(rounds, [b"hold"])
        await settle()
    waiting = asking(rounds, [b"x"] * 10)
    await settle()
    with pytest.raises(Overloaded, match="10 names wait"):
        await asking(rounds, [b"y"])
    work.gate.set()
    assert len((await waiting).outputs["length"]) == 10


async def test_callers_who_leave_cost_nothing_further(work: Work) -> None:
    """One who waits is never worked for; work that nobody waits for any more is cancelled."""
    rounds = Rounds(work, RoundLimits(256, 1000))
    first, second = asking(rounds, [b"a"]), asking(rounds, [b"b"])
    await settle()
    first.cancel()
    await settle()
    assert work.cancelled == 0
    second.cancel()
    await settle()
    assert work.cancelled == 1
    late = asking(rounds, [b"late"], deadline_s=0.0)
    on_time = asking(rounds, [b"on time"])
    work.gate.set()
    await on_time
    assert work.rounds == [[b"a", b"b"], [b"on time"]]
    late.cancel()


@pytest.mark.parametrize(
    ("failure", "expected", "words"),
    [
        (PredictorUnavailable("away"), PredictorUnavailable, "away"),
        (ValueError("a secret"), ScoringFailed, "could not be scored"),
    ],
)
async def test_everybody_in_a_round_is_told_of_its_failure(
    work: Work, failure: Exception, expected: type[Exception], words: str
) -> None:
    """Refusals with their own words, anything else without."""
    work.failure = failure
    work.gate.set()
    rounds = Rounds(work, RoundLimits(256, 1000))
    told = await asyncio.gather(*(asking(rounds, [b"x"]) for _ in range(3)), return_exceptions=True)
    assert {type(error) for error in told} == {expected}
    assert {str(error) for error in told} == {str(told[0])}
    assert words in str(told[0])


async def test_answers_stand_beside_their_names() -> None:
    """Requests with and without answers may share a round."""
    loop = asyncio.get_running_loop()
    asked = [
        Asked([b"a", b"b"], None, Deadline.after(1.0), {"x": "1"}, loop.create_future()),
        Asked([b"c"], [b"A 11.0.2.1"], Deadline.after(9.0), {}, loop.create_future()),
    ]
    assert Round(asked).answers == [b"", b"", b"A 11.0.2.1"]
    assert Round(asked[:1]).answers is None
    assert Round(asked).deadline == asked[1].deadline
    assert Round(asked).forward == {"x": "1"}
