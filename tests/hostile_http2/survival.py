"""Whether a server is none the worse: alive, answering others, its memory bounded, its log without a traceback."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import grpc
from tritonclient.grpc import service_pb2_grpc

from tests.serving.server_process import ServerProcess
from tests.serving.v2_requests import message

MOST_GROWTH_BYTES = 64 << 20
PATIENCE_S = 6.0


class Survivor:
    """A server as it was before, and what has become of it."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._proc = Path("/proc", str(server.process.pid))
        self.answers()
        # Forget the peak of what was before (proc(5), clear_refs).
        (self._proc / "clear_refs").write_text("5")
        self._before = self._memory("VmRSS")
        self._told = len(server.log())

    def check(self) -> None:
        """Fails when it has suffered."""
        assert self._server.process.poll() is None, self._server.log()
        self.answers()
        growth = self._memory("VmHWM") - self._before
        assert growth < MOST_GROWTH_BYTES, f"{growth >> 20} MiB more than before"
        told = self._server.log()[self._told :].splitlines()
        # grpc.aio logs the traceback of every call that ended before its answer had left.
        assert [line for line in told if "Traceback" in line and "grpc._cython" not in line] == []

    def answers(self) -> None:
        """A client that keeps the rules is answered on a connection of its own, at the latest when deadlines passed."""
        with grpc.insecure_channel(self._server.grpc_target) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            end_s = time.monotonic() + PATIENCE_S
            while not self._answered(stub):
                assert time.monotonic() < end_s, "too busy for too long"
                time.sleep(0.05)

    def _answered(self, stub: Any) -> bool:
        try:
            return stub.ModelInfer(message(), timeout=5).model_name == "echo"
        except grpc.RpcError as error:
            # The server may be full of an attacker's calls until their deadline.
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                return False
            raise

    def _memory(self, kind: str) -> int:
        found = re.search(rf"{kind}:\s+(\d+) kB", (self._proc / "status").read_text())
        assert found is not None
        return int(found[1]) << 10
