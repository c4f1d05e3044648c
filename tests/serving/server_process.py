"""Real server processes for wire tests: start, wait until ready, read the log, stop by pid."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import httpx

from inference_services.processes import free_ports

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


class ServerProcess:
    """One `python -m …` service on loopback."""

    def __init__(
        self,
        arguments: Sequence[str],
        settings: Mapping[str, str] | None = None,
        ports: tuple[int, int] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start it; `settings` are names without DNS_RISK_ prefix, lower case; `variables` are set as they are."""
        self.rest_port, self.grpc_port = ports or tuple(free_ports(2))
        own = {"host": HOST, "rest_port": str(self.rest_port), "grpc_port": str(self.grpc_port)}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DNS_RISK_")}
        given = {f"DNS_RISK_{name.upper()}": value for name, value in (own | dict(settings or {})).items()}
        self._log = TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=REPOSITORY,
            env=environment | given | dict(variables or {}),
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    @property
    def rest_url(self) -> str:
        """Scheme, host and port for REST clients."""
        return f"http://{HOST}:{self.rest_port}"

    @property
    def grpc_target(self) -> str:
        """Host and port for gRPC clients."""
        return f"{HOST}:{self.grpc_port}"

    def log(self) -> str:
        """Everything it has written so far, standard output and error together."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode()

    def status_of(self, path: str) -> int:
        """The status of a GET, 0 when nobody answers."""
        try:
            return httpx.get(f"{self.rest_url}{path}", timeout=5).status_code
        except httpx.TransportError:
            return 0

    def wait_until_ready(self, limit_s: float = 60.0) -> None:
        """Poll readiness; shows the log when it ends or is not ready in time."""
        end_s = time.monotonic() + limit_s
        while self.status_of("/v2/health/ready") != 200:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log()}"
            assert time.monotonic() < end_s, f"not ready within {limit_s} s:\n{self.log()}"
            time.sleep(0.05)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self, limit_s: float = 30.0) -> int:
        """Its exit status."""
        return self.process.wait(limit_s)

    def stop(self) -> None:
        """End it, politely first; harmless when it has ended."""
        if self.process.poll() is None:
            self.signal()
            try:
                self.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.wait()
        self._log.close()


@contextmanager
def running(
    arguments: Sequence[str], settings: Mapping[str, str] | None = None, *, ready: bool = True
) -> Iterator[ServerProcess]:
    """A service process for the length of a block, ready at its beginning unless told otherwise."""
    server = ServerProcess(arguments, settings)
    try:
        if ready:
            server.wait_until_ready()
        yield server
    finally:
        server.stop()
