"""`make run` as a user starts it: one process of inference_services.local and its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from inference_services.processes import free_ports
from load_tests.waiting import poll
from tests.serving.server_process import HOST, REPOSITORY

PORTS = tuple(
    f"{service}_{protocol}_PORT"
    for service in ("TRANSFORMER", "PREDICTOR", "EXPLAINER")
    for protocol in ("REST", "GRPC")
)
COMMAND = ("-m", "inference_services.local")


class LocalRun:
    """The services behind one command, on ports of their own."""

    def __init__(self, model_dir: Path, store: Path, **environment: str) -> None:
        ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        places = {"MODEL_DIR": str(model_dir), "GRAPH_STORE": str(store)}
        self.environment = plain_environment() | ports | places | environment
        self._out, self._err = TemporaryFile(), TemporaryFile()  # noqa: SIM115 - live as long as the process
        self.process = subprocess.Popen(
            [sys.executable, *COMMAND],
            cwd=REPOSITORY,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
        )

    @property
    def rest(self) -> str:
        return f"{HOST}:{self.environment['TRANSFORMER_REST_PORT']}"

    @property
    def grpc(self) -> str:
        return f"{HOST}:{self.environment['TRANSFORMER_GRPC_PORT']}"

    @property
    def explainer(self) -> str:
        return f"{HOST}:{self.environment['EXPLAINER_REST_PORT']}"

    def output(self) -> str:
        """What it has written to standard output."""
        return os.pread(self._out.fileno(), 1 << 20, 0).decode()

    def errors(self) -> str:
        """What it and its children have written to standard error."""
        return os.pread(self._err.fileno(), 1 << 20, 0).decode()

    def wait_until_ready(self) -> None:
        """Poll for the line that says so."""
        poll(lambda: "is ready" in self.output() or self.process.poll() is not None, 90.0)
        assert self.process.poll() is None, self.errors()

    def children(self) -> dict[str, int]:
        """The process ids of the services by module."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0") for pid in pids}
        return {command[2]: int(pid) for pid, command in commands.items() if len(command) > 2}

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Tell it to stop; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def close(self) -> None:
        """End it in any case."""
        self.stop(signal.SIGTERM)
        self._out.close()
        self._err.close()


@contextmanager
def local_run(model_dir: Path, store: Path, *, ready: bool = True, **environment: str) -> Iterator[LocalRun]:
    """A `make run` for the length of a block."""
    run = LocalRun(model_dir, store, **environment)
    try:
        if ready:
            run.wait_until_ready()
        yield run
    finally:
        run.close()


def plain_environment() -> dict[str, str]:
    """This environment without what configures the services."""
    own = {*PORTS, "MODEL_DIR", "GRAPH_STORE"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in own and not name.startswith("DNS_RISK_")
    }
