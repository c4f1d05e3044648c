"""POST on REST: v2 `infer` and the v1 verbs, under deadline, limit and watch.

Plain ASGI: a request costs no framework objects beside its route.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from starlette.types import Receive, Scope, Send

from contract.errors import CallerGone, InvalidTensors, RiskError, UnknownModel
from serving.front_desk import CallWatch, FrontDesk
from serving.metrics import UNKNOWN_MODEL
from serving.model import InferCall, RiskModel, V1Call
from serving.request_context import TIMEOUT_MS, combined, forwardable, identify, timeout_s
from serving.rest_body import read_body, unpack
from serving.rest_reply import Reply, json_reply, refusal, tensor_reply
from serving.tensor_contract import echo
from serving.v2_json import decode_request, encode_response, parse_object

JSON_LENGTH: Final = "inference-header-content-length"

# A task for each request would cost as much as its route.
_LISTEN_AFTER_S: Final = 0.02

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Visit:
    """One POST: what is known of it before its body is read."""

    model: RiskModel
    path: Mapping[str, str]
    headers: Mapping[str, str]
    receive: Receive
    watch: CallWatch


class RestWork:
    """An ASGI endpoint that does one kind of work for the model named in its path."""

    def __init__(
        self, desk: FrontDesk, work: Callable[[FrontDesk, Visit], Coroutine[Any, Any, Reply]]
    ) -> None:
        self._desk = desk
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and count it."""
        began_s = time.perf_counter()
        path, desk = scope["path_params"], self._desk
        desk.metrics.begin("rest")
        # What a request is counted as when the shutdown cancels it.
        status = 503
        try:
            reply = await self._answer(path, _headers(scope), receive)
            status = reply.status
        finally:
            label = path["model"] if path["model"] in desk.models else UNKNOWN_MODEL
            desk.metrics.end("rest", label, str(status), time.perf_counter() - began_s)
        # Callers move to another replica before this one closes idle connections.
        await reply.send(send, last=desk.draining)

    async def _answer(self, path: Mapping[str, str], headers: Mapping[str, str], receive: Receive) -> Reply:
        try:
            model = self._desk.model(path["model"], path.get("version", ""))
            deadline = self._desk.deadline(timeout_s(headers.get(TIMEOUT_MS)))
            with self._desk.admit("rest", deadline) as watch:
                return await watch.run(self._work(self._desk, Visit(model, path, headers, receive, watch)))
        except RiskError as error:
            return refusal(error)


async def infer(desk: FrontDesk, visit: Visit) -> Reply:
    """Answer a v2 inference request."""
    body = await _body(desk, visit)
    model = visit.model
    request = decode_request(body, _json_length(visit.headers), desk.contracts[model.name])
    forward = forwardable(visit.headers.items())
    watch = visit.watch
    watch.request_id = identify(request.request_id, forward)
    call = InferCall(
        request.inputs, request.parameters, watch.request_id, watch.deadline, forward, watch.caller_gone
    )
    answer = await _while_connected(visit, model.infer(call))
    return tensor_reply(encode_response(model, watch.request_id, answer, request.outputs))


async def v1_verb(desk: FrontDesk, visit: Visit) -> Reply:
    """Answer a v1 request by the verb that the model offers."""
    verb = visit.model.v1_verbs().get(visit.path["verb"])
    if verb is None:
        raise UnknownModel(f"model {visit.model.name} has no v1 verb {echo(visit.path['verb'])}")
    document = parse_object(await _body(desk, visit))
    forward = forwardable(visit.headers.items())
    watch = visit.watch
    watch.request_id = identify("", forward)
    call = V1Call(document, watch.request_id, watch.deadline, forward, watch.caller_gone)
    return json_reply(await _while_connected(visit, verb(call)))


async def _body(desk: FrontDesk, visit: Visit) -> bytes:
    limit, headers = desk.settings.max_request_bytes, visit.headers
    body = await read_body(visit.receive, headers.get("content-length"), limit)
    return unpack(body, headers.get("content-encoding"), limit)


def _json_length(headers: Mapping[str, str]) -> int | None:
    value = headers.get(JSON_LENGTH)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise InvalidTensors(f"{JSON_LENGTH}: expected a byte count, got {echo(value)}")
    return int(value)


def _headers(scope: Scope) -> dict[str, str]:
    # The parser leaves the white space after a value, which is no part of it (RFC 9112, 5.1).
    return combined([(name.decode("latin-1"), _text(value)) for name, value in scope["headers"]])


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip(" \t")


async def _while_connected(visit: Visit, work: Awaitable[Result]) -> Result:
    listener = _Listener(visit)
    try:
        return await work
    finally:
        listener.stop()


class _Listener:
    """Notices a caller that leaves; it begins to listen when most answers have been sent already."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_LISTEN_AFTER_S, self._listen)

    def _listen(self) -> None:
        self._task = asyncio.create_task(_end_when_disconnected(self._visit))

    def stop(self) -> None:
        """The answer is there."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


async def _end_when_disconnected(visit: Visit) -> None:
    while (await visit.receive())["type"] != "http.disconnect":
        pass
    visit.watch.end(CallerGone("the caller disconnected"))
