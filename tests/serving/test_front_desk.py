from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from contract.errors import (
    DeadlineExceeded,
    Overloaded,
    PredictorUnavailable,
    ScoringFailed,
    UnknownModel,
)
from serving.deadline import Deadline
from serving.front_desk import CallWatch, FrontDesk
from serving.model import InferAnswer, InferCall, RiskModel
from serving.request_metrics import RequestMetrics
from serving.settings import ServingSettings


class Moody(RiskModel):
    """A model whose readiness is what the test makes of it."""

    mood: bool | Exception | float = True

    async def infer(self, call: InferCall) -> InferAnswer:
        """Nothing is computed."""
        return InferAnswer(dict(call.inputs))

    async def ready(self) -> bool:
        """As the mood is: an answer, an error, or a number of seconds to take."""
        if isinstance(self.mood, Exception):
            raise self.mood
        if isinstance(self.mood, bool):
            return self.mood
        await asyncio.sleep(self.mood)
        return True


def desk_of(model: RiskModel, **settings: float) -> FrontDesk:
    """A desk with one model."""
    return FrontDesk([model], ServingSettings(**settings), RequestMetrics(CollectorRegistry()))


@pytest.fixture
def model() -> Iterator[Moody]:
    """A model named "m" of version "2"."""
    return Moody("m", "2", (), ())


def test_models_are_found_by_name_and_version(model: Moody) -> None:
    """A model is found without a version and with its own; others are not here."""
    desk = desk_of(model)
    assert desk.model("m") is desk.model("m", "2") is model
    for name, version in (("n", ""), ("m", "1")):
        with pytest.raises(UnknownModel):
            desk.model(name, version)


def test_deadlines_stay_within_the_settings(model: Moody) -> None:
    """No deadline is the default one; a longer one than allowed is cut."""
    desk = desk_of(model, default_deadline_ms=2_000, max_deadline_ms=3_000)
    assert 1.9 < desk.deadline(None).remaining_s() <= 2
    assert 2.9 < desk.deadline(1e9).remaining_s() <= 3
    assert desk.deadline(0.5).remaining_s() <= 0.5


def test_one_too_many_is_refused(model: Moody) -> None:
    """Each protocol lets in as many as the settings say, and one more once one has left."""
    desk = desk_of(model, max_in_flight=1)
    with (
        desk.admit("rest", Deadline.never()),
        desk.admit("grpc", Deadline.never()),
        pytest.raises(Overloaded, match="1 requests"),
        desk.admit("rest", Deadline.never()),
    ):
        pass
    with desk.admit("rest", Deadline.never()):
        pass


@pytest.mark.parametrize("mood", [False, RuntimeError("cannot say"), 60.0])
async def test_model_that_cannot_say_is_not_ready(model: Moody, mood: bool | Exception | float) -> None:
    """No, an error and no answer in time all mean not ready."""
    model.mood = mood
    assert not await desk_of(model, readiness_period_s=0.05).ready()


async def test_draining_and_broken_servers_are_not_ready(model: Moody) -> None:
    """Readiness is also the server's: false while it drains and once its engine is gone."""
    draining, broken = desk_of(model), desk_of(model)
    assert await draining.ready()
    draining.draining = True
    broken.close_broken()
    assert not await draining.ready()
    assert not await broken.ready()
    with pytest.raises(PredictorUnavailable), broken.admit("rest", Deadline.never()):
        pass


async def test_ended_work_raises_why(model: Moody) -> None:
    """Work that is ended from outside is cancelled and raises the reason in its caller."""
    desk = desk_of(model)

    async def request() -> None:
        with desk.admit("rest", Deadline.never()) as watch:
            await watch.run(asyncio.sleep(60))

    task = asyncio.create_task(request())
    await asyncio.sleep(0)
    assert not await desk.empty(Deadline.after(0.01))
    desk.end_all(PredictorUnavailable("stopped"))
    with pytest.raises(PredictorUnavailable, match="stopped"):
        await task
    assert await desk.empty(Deadline.after(0.01))


async def test_watch_ends_work_at_its_deadline() -> None:
    """Late work is cancelled; the model can see that nobody waits."""
    watch = CallWatch(Deadline.after(0.01))
    with pytest.raises(DeadlineExceeded):
        await watch.run(asyncio.sleep(60))
    assert watch.caller_gone()


async def test_watch_leaves_a_foreign_cancellation_alone() -> None:
    """A task cancelled by its server is cancelled, and its caller counts as gone."""
    watch = CallWatch(Deadline.never())
    task = asyncio.create_task(watch.run(asyncio.sleep(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watch.caller_gone()


async def test_ending_finished_work_does_nothing() -> None:
    """Whoever ends work a moment too late does not disturb its caller."""
    watch = CallWatch(Deadline.never())
    assert await watch.run(asyncio.sleep(0, "done")) == "done"
    watch.end(PredictorUnavailable("stopped"))
    await asyncio.sleep(0)
    assert not watch.caller_gone()


async def test_unexpected_errors_are_logged_and_hidden(caplog: pytest.LogCaptureFixture) -> None:
    """A bug is answered with the request's id; what happened stands in the log."""
    watch = CallWatch(Deadline.never())
    watch.request_id = "r-1"

    async def work() -> None:
        raise ValueError("a secret")

    with pytest.raises(ScoringFailed, match=r"^internal error in request 'r-1'$"):
        await watch.run(work())
    assert "a secret" in caplog.text
