"""Whether a server is none the worse: alive, answering others, its memory bounded, its log without a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import grpc
from tritonclient.grpc import service_pb2_grpc

from tests.serving.server_process import ServerProcess
from tests.serving.v2_requests import message

MOST_GROWTH_BYTES = 64 << 20


class Survivor:
    """A server as it was before, and what has become of it."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._proc = Path("/proc", str(server.process.pid))
        self.answers()
        # Forget the peak of what was before (proc(5), clear_refs).
        (self._proc / "clear_refs").write_text("5")
        self._before = self._memory("VmRSS")

    def check(self) -> None:
        """Fails when it has suffered."""
        assert self._server.process.poll() is None, self._server.log()
        self.answers()
        growth = self._memory("VmHWM") - self._before
        assert growth < MOST_GROWTH_BYTES, f"{growth >> 20} MiB more than before"
        assert "Traceback" not in self._server.log()

    def answers(self) -> None:
        """A client that keeps the rules is answered on a connection of its own."""
        with grpc.insecure_channel(self._server.grpc_target) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            assert stub.ModelInfer(message(), timeout=5).model_name == "echo"

    def _memory(self, kind: str) -> int:
        found = re.search(rf"{kind}:\s+(\d+) kB", (self._proc / "status").read_text())
        assert found is not None
        return int(found[1]) << 10
