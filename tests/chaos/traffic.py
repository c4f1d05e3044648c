"""Callers over REST and gRPC in open loop, and what became of each of their requests."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from tritonclient.grpc import service_pb2_grpc

from contract.tensors import RISK_MODEL
from tests.serving.server_process import HOST
from tests.transformer.score_requests import columns_of, columns_of_message, document, message

# What each caller grants, and how long after that it still waits for any answer before it is called hung.
DEADLINE_S = 1.0
PATIENCE_S = 2.0
ANSWERED = ("200", "OK")


@dataclass(frozen=True)
class Outcome:
    """One request: a status of REST or gRPC, "hung", or "lost" where the connection broke without one."""

    protocol: str
    code: str
    name: str
    risk: float = -1.0


class Traffic(threading.Thread):
    """Asks at a constant rate on both protocols until it is stopped; slow answers slow no question."""

    def __init__(self, rest_port: int, grpc_port: int, names: Sequence[str], rate: float = 40.0) -> None:
        super().__init__(daemon=True)
        self.outcomes: list[Outcome] = []
        # Sent as x-request-id: what a scripted predictor does.
        self.order = ""
        self._rest_port = rest_port
        self._grpc_port = grpc_port
        self._names = itertools.cycle(names)
        self._period_s = 1.0 / rate
        self._ended = threading.Event()

    def run(self) -> None:
        """Ask until `stop`."""
        asyncio.run(self._ask_all())

    def stop(self) -> None:
        """No more requests; returns when the last one has its outcome."""
        self._ended.set()
        self.join()

    async def _ask_all(self) -> None:
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[None]] = []
        # A client that gave up reconnects at once, as ours do.
        options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
        async with grpc.aio.insecure_channel(f"{HOST}:{self._grpc_port}", options=options) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            due = loop.time()
            while not self._ended.is_set():
                tasks.append(asyncio.create_task(self._judged("rest", self._rest(next(self._names)))))
                tasks.append(asyncio.create_task(self._judged("grpc", self._grpc(stub, next(self._names)))))
                due += self._period_s
                await asyncio.sleep(max(0.0, due - loop.time()))
            await asyncio.gather(*tasks)

    async def _judged(self, protocol: str, work: Any) -> None:
        name = ""
        try:
            async with asyncio.timeout(DEADLINE_S + PATIENCE_S):
                code, name, risk = await work
        except TimeoutError:
            code, risk = "hung", -1.0
        except (OSError, EOFError, ValueError):
            code, risk = "lost", -1.0
        self.outcomes.append(Outcome(protocol, code, name, risk))

    def _told(self) -> dict[str, str]:
        return {"x-request-id": self.order} if self.order else {}

    async def _rest(self, name: str) -> tuple[str, str, float]:
        body = json.dumps(document([name])).encode()
        headers = {
            "host": "chaos",
            "connection": "close",
            "content-length": str(len(body)),
            "x-request-timeout-ms": str(int(1000 * DEADLINE_S)),
        } | self._told()
        head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        reader, writer = await asyncio.open_connection(HOST, self._rest_port)
        try:
            writer.write(f"POST /v2/models/{RISK_MODEL}/infer HTTP/1.1\r\n{head}\r\n".encode() + body)
            answered = await reader.read()
        finally:
            writer.close()
        head_bytes, _, answer = answered.partition(b"\r\n\r\n")
        code = head_bytes.split(b" ")[1].decode() if head_bytes.startswith(b"HTTP/1.1 ") else "lost"
        risk = columns_of(json.loads(answer))["risk_score"][0] if code == "200" else -1.0
        return code, name, risk

    async def _grpc(self, stub: Any, name: str) -> tuple[str, str, float]:
        try:
            answer = await stub.ModelInfer(
                message([name.encode()]), timeout=DEADLINE_S, metadata=tuple(self._told().items())
            )
        except grpc.aio.AioRpcError as error:
            code: str = error.code().name
            # What gRPC's client says of itself: nothing was answered, nobody knows what was done.
            return ("lost" if _broke(error) else code), name, -1.0
        return "OK", name, columns_of_message(answer)["risk_score"][0]


def _broke(error: grpc.aio.AioRpcError) -> bool:
    details = error.details() or ""
    return error.code() is grpc.StatusCode.UNAVAILABLE and (
        "Socket closed" in details or "reset" in details or "GOAWAY" in details or "recvmsg" in details
    )
