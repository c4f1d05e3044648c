"""`python -m tests.chaos.traffic`: callers over REST and gRPC in open loop, and what became of each request.

A process of its own, so that nothing else slows it. SIGTERM: no more requests; ends when the last has its outcome.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO, Any

import grpc
from tritonclient.grpc import service_pb2_grpc

from tests.chaos.outcomes import BROKEN, HUNG, UNREACHABLE, Outcome, rows_of
from tests.one_shot_http import HOST, post
from tests.transformer.score_requests import INFER, columns_of, columns_of_message, document, message

# How long after its deadline a caller still waits for any answer before it is called hung.
PATIENCE_S = 2.0
MOST_NAMES = 6
# Found again at once, as our own clients do.
CHANNEL = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200)]

Answer = tuple[str, list, str]


class Callers:
    """Ask one system."""

    def __init__(self, rest_port: int, stub: Any, default_s: float, out: IO[str]) -> None:
        self._rest_port = rest_port
        self._stub = stub
        self._default_s = default_s
        self._out = out

    async def ask(self, protocol: str, names: list[str], deadline_s: float | None) -> None:
        """One request, whatever comes of it; without a deadline of its own it has the server's."""
        call = self._rest if protocol == "rest" else self._grpc
        asked_s, limit_s = time.monotonic(), deadline_s or self._default_s
        try:
            async with asyncio.timeout(limit_s + PATIENCE_S):
                code, rows, version = await call(names, deadline_s)
        except TimeoutError:
            code, rows, version = HUNG, [], ""
        except ConnectionRefusedError:
            code, rows, version = UNREACHABLE, [], ""
        except (OSError, EOFError, LookupError):
            code, rows, version = BROKEN, [], ""
        outcome = Outcome(asked_s, time.monotonic(), limit_s, protocol, code, names, rows, version)
        self._out.write(outcome.line())

    async def _rest(self, names: list[str], deadline_s: float | None) -> Answer:
        headers = {"Content-Type": "application/json"}
        if deadline_s is not None:
            headers["x-request-timeout-ms"] = str(round(1000 * deadline_s))
        status, content = await post(self._rest_port, INFER, json.dumps(document(names)).encode(), headers)
        if status != "200":
            return status, [], ""
        return status, *_read(lambda: _json_answer(content))

    async def _grpc(self, names: list[str], deadline_s: float | None) -> Answer:
        # The client itself ends a call at its deadline; only one without can be seen to hang.
        asked = message([name.encode() for name in names])
        try:
            answer = await self._stub.ModelInfer(asked, timeout=deadline_s)
        except grpc.aio.AioRpcError as error:
            return code_of(error), [], ""
        return "OK", *_read(lambda: _message_answer(answer))


def _json_answer(content: bytes) -> tuple[list, str]:
    answer = json.loads(content)
    return rows_of(columns_of(answer)), answer["parameters"]["model_version"]


def _message_answer(answer: Any) -> tuple[list, str]:
    return rows_of(columns_of_message(answer)), answer.parameters["model_version"].string_param


def _read(read: Callable[[], tuple[list, str]]) -> tuple[list, str]:
    """Rows and version; none where the answer is no such thing, which is then a wrong one."""
    try:
        return read()
    except (ValueError, LookupError, TypeError, AssertionError):
        return [], ""


def code_of(error: grpc.aio.AioRpcError) -> str:
    """The server's status; where the client's library speaks for a connection, what that means."""
    if error.code() is not grpc.StatusCode.UNAVAILABLE:
        return str(error.code().name)
    # What our services refuse for the moment comes with a hint when to try again.
    if any(name == "grpc-retry-pushback-ms" for name, _ in error.trailing_metadata() or ()):
        return "UNAVAILABLE"
    return UNREACHABLE if "failed to connect" in (error.details() or "").lower() else BROKEN


async def keep_asking(
    ask: Callable[[], Awaitable[None]], rate: float, draw: random.Random, ended: asyncio.Event
) -> None:
    """Independent callers at this rate; returns when all have been answered."""
    tasks: set[asyncio.Task[None]] = set()
    due_s = time.monotonic()
    while not ended.is_set():
        task = asyncio.ensure_future(ask())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due_s += draw.expovariate(rate)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), max(0.0, due_s - time.monotonic()))
    await asyncio.gather(*tasks)


async def run(options: argparse.Namespace) -> None:
    """Ask until told to stop."""
    names = json.loads(options.names.read_text())
    draw = random.Random(1)  # noqa: S311 - an order, not a secret
    deadlines: list[float | None] = [None, *map(float, options.deadlines.split(","))]
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    with options.out.open("a", buffering=1) as out:
        async with grpc.aio.insecure_channel(f"{HOST}:{options.grpc}", options=CHANNEL) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            callers = Callers(options.rest, stub, options.default, out)

            async def ask(protocol: str) -> None:
                asked = draw.choices(names, k=draw.choice((1, 1, 1, MOST_NAMES)))
                await callers.ask(protocol, asked, draw.choice(deadlines))

            work = (lambda protocol=protocol: ask(protocol) for protocol in ("rest", "grpc"))
            await asyncio.gather(*(keep_asking(one, options.rate, draw, ended) for one in work))


def main() -> None:
    """Ask until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rest", type=int, required=True, help="port")
    parser.add_argument("--grpc", type=int, required=True, help="port")
    parser.add_argument("--names", type=Path, required=True, help="JSON list")
    parser.add_argument("--rate", type=float, default=60.0, help="requests a second over each protocol")
    parser.add_argument("--deadlines", default="1", help="seconds, one is drawn for each request")
    parser.add_argument("--default", type=float, default=1.0, help="the server's deadline in seconds")
    parser.add_argument("--out", type=Path, required=True)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
