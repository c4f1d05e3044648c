"""ModelInfer on the thin HTTP/2 server: no task for models that take requests as they come off the wire.

Everything else the service answers is registered in `grpc_front`, the same for both servers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

from contract.errors import DeadlineExceeded, RiskError, ScoringFailed
from serving.deadline import Deadline
from serving.front_desk import FrontDesk
from serving.http2.limits import Limits
from serving.http2.server import Http2Server
from serving.http2.status import code_of
from serving.http2.stream import Stream
from serving.infer_message import infer_message, parse
from serving.metrics import UNKNOWN_MODEL
from serving.model import RiskModel
from serving.protobuf_bytes import delimited
from serving.request_context import REQUEST_ID, RETRY_PUSHBACK, RETRYABLE, forwardable, new_id
from serving.settings import ServingSettings
from serving.tensor_contract import echo

_LOG: Final = logging.getLogger(__name__)

# Unfinished requests and unsent answers of all connections, as multiples of the largest message.
_HELD_MESSAGES: Final = 32
_KEEPALIVE_LIMIT_S: Final = 20.0
_STATUS_NUMBERS: Final = {
    error.grpc_status: code_of(error.grpc_status) for error in RiskError.__subclasses__()
}


def limits_of(settings: ServingSettings, calls_beside: int) -> Limits:
    """The bounds of the server that these settings ask for."""
    calls = settings.max_in_flight + calls_beside
    return Limits(
        message_bytes=settings.max_request_bytes,
        header_bytes=settings.max_header_bytes,
        streams=min(settings.grpc_max_streams, calls),
        calls=2 * calls,
        held_bytes=_HELD_MESSAGES * settings.max_request_bytes,
        header_timeout_s=settings.header_timeout_s,
        keepalive_s=settings.grpc_keepalive_s,
        keepalive_limit_s=_KEEPALIVE_LIMIT_S,
        max_age_s=settings.grpc_max_connection_age_s,
        max_age_grace_s=settings.max_deadline_ms / 1000,
        deadline_s=settings.default_deadline_ms / 1000,
        max_deadline_s=settings.max_deadline_ms / 1000,
    )


class Inference:
    """The ModelInfer of one server."""

    def __init__(self, desk: FrontDesk) -> None:
        self.desk = desk
        self._raw_takers = [model for model in desk.models.values() if model.takes_raw]

    def register(self, server: Http2Server, path: str) -> None:
        """Serve ModelInfer there."""
        server.add_unary(path, self.take, self.door)

    def door(self, stream: Stream) -> bool:
        """Refuse a request at its head while there is no room: its message is not even kept."""
        try:
            self.desk.check_room("grpc")
        except RiskError as refusal:
            Visit(self.desk, stream).fail(refusal)
            stream.connection.hold_back()
            return False
        return True

    def take(self, stream: Stream, message: bytes) -> None:
        """Begin one request, as it came."""
        visit = Visit(self.desk, stream)
        try:
            visit.enter()
        except RiskError as refusal:
            visit.fail(refusal)
            return
        for model in self._raw_takers:
            visit.model = model
            if model.take_raw(message, visit):
                return
        visit.model = None
        visit.start(message)


class Visit:
    """One ModelInfer request from its message to its answer; answered once, whatever happens."""

    __slots__ = ("_began_s", "_desk", "_inside", "_open", "_stream", "_task", "deadline", "model")

    def __init__(self, desk: FrontDesk, stream: Stream) -> None:
        self._desk = desk
        self._stream = stream
        self._began_s = time.perf_counter()
        self._open = True
        self._inside = False
        self._task: asyncio.Task[None] | None = None
        self.deadline = Deadline(stream.deadline_s)
        self.model: RiskModel | None = None
        desk.metrics.begin("grpc")

    def enter(self) -> None:
        """Come in.

        Raises:
            RiskError: as `FrontDesk.enter`.
        """
        self._desk.enter("grpc", self)
        self._inside = True
        self._stream.call = self

    def caller_gone(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return not self._open

    def answer(self, message: bytes, request_id: str = "") -> None:
        """Send a serialized ModelInferResponse that lacks its id."""
        if self._open:
            self._settle("OK")
            # A message's fields may come in any order.
            self._stream.answer(message + _id_field(request_id or self._own_id()))

    def _own_id(self) -> str:
        own = [entry for entry in self._stream.head.metadata if entry[0] == REQUEST_ID]
        return forwardable(own).get(REQUEST_ID) or new_id()

    def fail(self, error: RiskError) -> None:
        """Answer with a refusal."""
        if self._open:
            self._settle(error.grpc_status)
            hint = RETRY_PUSHBACK if isinstance(error, RETRYABLE) else ()
            self._stream.refuse(_STATUS_NUMBERS[error.grpc_status], str(error), hint)

    def _settle(self, code: str) -> None:
        # Before the answer is sent: a peer that does not read it must not keep others out.
        self._open = False
        if self._inside:
            self._desk.leave("grpc", self)
        label = UNKNOWN_MODEL if self.model is None else self.model.name
        self._desk.metrics.end("grpc", label, code, time.perf_counter() - self._began_s)

    def end(self, error: RiskError) -> None:
        """The work is in vain: the server stops, or the model is broken."""
        self.fail(error)

    def expired(self) -> None:
        """The deadline has passed."""
        self.fail(DeadlineExceeded("the deadline passed before the answer was there"))

    def gone(self) -> None:
        """The stream has ended: with an answer, or because its caller left."""
        if self._open:
            self._settle("CANCELLED")
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def start(self, message: bytes) -> None:
        """Do the work in a task."""
        self._task = asyncio.get_running_loop().create_task(self._work(message))

    async def _work(self, message: bytes) -> None:
        request_id = ""
        try:
            request = parse(message)
            request_id = request.id
            await self._infer(request)
        except RiskError as error:
            self.fail(error)
        except Exception:  # noqa: BLE001 - logged, and kept from the caller
            _LOG.exception("request_failed", extra={"request_id": request_id})
            self.fail(ScoringFailed(f"internal error in request {echo(request_id)}"))

    async def _infer(self, request: Any) -> None:
        self.deadline.check()
        model = self._desk.model(request.model_name, request.model_version)
        self.model = model
        forward = forwardable(self._stream.head.metadata)
        contract = self._desk.contracts[model.name]
        response = await infer_message(model, contract, request, forward, self.deadline, self.caller_gone)
        if self._open:
            self._settle("OK")
            self._stream.answer(response.SerializeToString())


def _id_field(request_id: str) -> bytes:
    # ModelInferResponse.id
    return delimited(3, request_id.encode())
