"""Callers tell a refusal from a broken connection and from silence, over both protocols."""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import AsyncIterator

import grpc
import pytest
from tritonclient.grpc import service_pb2_grpc

from inference_services.processes import free_ports
from tests.chaos.outcomes import Outcome, read_outcomes
from tests.chaos.traffic import CHANNEL, Callers, keep_asking
from tests.serving.server_process import HOST

REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"
NO_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TORN = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"


async def outcome_of(protocol: str, port: int, deadline_s: float | None = 0.1) -> Outcome:
    """One request to what listens at a port."""
    out = io.StringIO()
    async with grpc.aio.insecure_channel(f"{HOST}:{port}", options=CHANNEL) as channel:
        callers = Callers(port, service_pb2_grpc.GRPCInferenceServiceStub(channel), 0.1, out)
        await callers.ask(protocol, ["example.com"], deadline_s)
    (outcome,) = read_outcomes(out.getvalue().splitlines(keepends=True))
    return outcome


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Where connections are taken, and nothing is ever said."""

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(listen, HOST, 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in held:
        writer.close()


@pytest.mark.parametrize(
    ("answer", "code"),
    [(REFUSAL, "503"), (NO_ANSWER, "200"), (TORN, "broken"), (b"", "broken"), (b"x\r\n\r\n", "broken")],
)
async def test_rest_answers_are_told_apart(answer: bytes, code: str) -> None:
    """A status is one; what is cut short is broken; a 200 without scores has no rows, which no world says."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(reply, HOST, 0) as server:
        outcome = await outcome_of("rest", server.sockets[0].getsockname()[1])
    assert (outcome.code, outcome.rows) == (code, [])


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
async def test_nobody_is_unreachable(protocol: str) -> None:
    """Who was never accepted was not lost."""
    (port,) = free_ports(1)
    assert (await outcome_of(protocol, port, 5.0)).code == "unreachable"


@pytest.mark.parametrize(("protocol", "deadline_s"), [("rest", 0.1), ("rest", None), ("grpc", None)])
async def test_silence_is_hung(silent_port: int, protocol: str, deadline_s: float | None) -> None:
    """Also for who relies on the server's deadline."""
    assert (await outcome_of(protocol, silent_port, deadline_s)).code == "hung"


async def test_slow_answers_slow_no_question() -> None:
    """All have been asked while the first still waits, and all have ended on return."""
    asked, ended, answers = [], asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        asked.append(len(asked))
        if len(asked) == 20:
            ended.set()
            answers.set()
        await answers.wait()

    await keep_asking(ask, 1000.0, random.Random(0), ended)  # noqa: S311 - an order, not a secret
    assert len(asked) == 20
