"""What REST and gRPC share: which models there are, who may enter, and when work ends early.

One `CallWatch` stands beside each request. Deadline, caller gone, crashed engine and a shutdown whose
grace is over all end the work in the same way, so no caller can hang on any of them.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

from contract.errors import (
    DeadlineExceeded,
    Overloaded,
    PredictorUnavailable,
    RiskError,
    ScoringFailed,
    UnknownModel,
)
from serving.deadline import Deadline, within
from serving.model import RiskModel
from serving.request_metrics import RequestMetrics
from serving.settings import ServingSettings
from serving.tensor_contract import TensorContract, echo

Result = TypeVar("Result")

SERVER_NAME: Final = "dns-risk"

_LOG: Final = logging.getLogger(__name__)


def server_version() -> str:
    """The version of the installed package, "0" when it runs from a checkout."""
    try:
        return metadata.version("dns-risk")
    except metadata.PackageNotFoundError:
        return "0"


class CallWatch:
    """Ends the work of one request as soon as its answer would be in vain."""

    __slots__ = ("_left", "_task", "deadline", "ended", "request_id")

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.request_id = ""
        self.ended: RiskError | None = None
        self._task: asyncio.Task[Any] | None = None
        self._left = False

    def caller_gone(self) -> bool:
        """Whether nobody waits for the answer any more."""
        # gRPC cancels the whole task; the model must be able to see that while it unwinds.
        cancelled = self._task is not None and self._task.cancelling() > 0
        return cancelled or self._left or self.ended is not None or self.deadline.expired

    def end(self, error: RiskError) -> None:
        """Cancel the work, so that `run` raises this error; the first error counts."""
        if self._task is not None and self.ended is None:
            self.ended = error
            self._task.cancel()

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of the work, in the caller's own task.

        Raises:
            RiskError: the one given to `end`, DeadlineExceeded, one of the work itself, or ScoringFailed
                in place of anything unexpected, which is logged and kept from the caller.
        """
        limit_s = self.deadline.remaining_s()
        loop = asyncio.get_running_loop()
        timer = None if math.isinf(limit_s) else loop.call_later(limit_s, self._pass_deadline)
        task = self._task = asyncio.current_task()
        try:
            return await work
        except asyncio.CancelledError:
            if self.ended is None or task is None:
                self._left = True
                raise
            task.uncancel()
            raise self.ended from None
        except RiskError:
            raise
        except Exception as error:
            _LOG.exception("request_failed", extra={"request_id": self.request_id})
            raise ScoringFailed(f"internal error in request {echo(self.request_id)}") from error
        finally:
            self._task = None
            if timer is not None:
                timer.cancel()

    def _pass_deadline(self) -> None:
        self.end(DeadlineExceeded("the deadline passed before the answer was there"))


@runtime_checkable
class Watch(Protocol):
    """What stands beside a request."""

    def end(self, error: RiskError) -> None:
        """Answer the request with this error, and end the work for it."""


class FrontDesk:
    """The models of one server process and the requests inside it."""

    def __init__(self, models: list[RiskModel], settings: ServingSettings, metrics: RequestMetrics) -> None:
        self.models: Mapping[str, RiskModel] = {model.name: model for model in models}
        self.contracts = {
            model.name: TensorContract(model.name, model.inputs, model.outputs) for model in models
        }
        self.settings = settings
        self.metrics = metrics
        self.draining = False
        self._broken: RiskError | None = None
        self._watches: set[Watch] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._inside = {"rest": 0, "grpc": 0}

    def model(self, name: str, version: str = "") -> RiskModel:
        """The model of this name, and of this version if one is given.

        Raises:
            UnknownModel: it is not here.
        """
        model = self.models.get(name)
        if model is None:
            raise UnknownModel(f"no model {echo(name)} here")
        if version and version != model.version:
            raise UnknownModel(f"no version {echo(version)} of model {name} here, only {model.version}")
        return model

    def deadline(self, wanted_s: float | None) -> Deadline:
        """When a request must be answered: what its caller wants, within the settings."""
        if wanted_s is None:
            return Deadline.after(self.settings.default_deadline_ms / 1000)
        return Deadline.after(min(wanted_s, self.settings.max_deadline_ms / 1000))

    @contextmanager
    def admit(self, protocol: str, deadline: Deadline) -> Iterator[CallWatch]:
        """Let one request in, or refuse it before it costs anything.

        Raises:
            RiskError: as `enter`.
        """
        watch = CallWatch(deadline)
        self.enter(protocol, watch)
        try:
            yield watch
        finally:
            self.leave(protocol, watch)

    def check_room(self, protocol: str) -> None:
        """Whether a request would be let in now.

        Raises:
            Overloaded, PredictorUnavailable: as `enter`.
        """
        if self._broken is not None:
            raise self._broken
        if self._inside[protocol] >= self.settings.max_in_flight:
            raise Overloaded(f"{self.settings.max_in_flight} requests are being worked on, try again later")

    def enter(self, protocol: str, watch: Watch) -> None:
        """Let one request in; whoever was let in leaves.

        Raises:
            Overloaded: as many requests of this protocol as the settings allow are inside.
            PredictorUnavailable: the model's engine has stopped.
        """
        self.check_room(protocol)
        self._watches.add(watch)
        self._empty.clear()
        self._inside[protocol] += 1

    def leave(self, protocol: str, watch: Watch) -> None:
        """One request is answered, or given up."""
        self._inside[protocol] -= 1
        self._watches.discard(watch)
        if not self._watches:
            self._empty.set()

    async def model_ready(self, model: RiskModel) -> bool:
        """Whether the model can answer and the server is to be sent requests; never raises."""
        if self.draining or self._broken is not None:
            return False
        try:
            return await within(Deadline.after(self.settings.readiness_period_s), model.ready())
        except Exception as error:  # noqa: BLE001 - a model that cannot say is not ready
            _LOG.warning("model_not_ready", extra={"model": model.name, "reason": str(error)})
            return False

    async def ready(self) -> bool:
        """Whether every model is ready."""
        return all([await self.model_ready(model) for model in self.models.values()])

    async def empty(self, deadline: Deadline) -> bool:
        """Wait until no request is inside; false when the deadline passes first."""
        try:
            await within(deadline, self._empty.wait())
        except DeadlineExceeded:
            return False
        return True

    def end_all(self, error: RiskError) -> None:
        """Answer every request inside with this error."""
        for watch in tuple(self._watches):
            watch.end(error)

    def close_broken(self) -> None:
        """The engine is gone: refuse everything, now and later, with UNAVAILABLE."""
        self._broken = PredictorUnavailable("the model stopped working, this server restarts")
        self.end_all(self._broken)
