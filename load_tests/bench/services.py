"""The servers under measurement, as processes on cores of their own."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.tensors import RISK_MODEL
from inference_services.processes import HOST, Service, ServiceFailed, free_ports, start, wait_until_ready
from load_tests.bench.machine import pin
from load_tests.bench.options import Settings, settings_for

SERVER_CORE: Final = 0
GENERATOR_CORE: Final = 1
_BASELINE: Final = "load_tests.baselines.kserve_plain"
_NOWHERE: Final = subprocess.DEVNULL
_TRIVIAL: Final = "load_tests.generator.trivial_server"

# The queue holds what 256 callers of 32 graphs send: a bench measures work, not refusals.
_COMMON: Final[Settings] = {"host": HOST, "log_level": "WARNING"}
_PREDICTOR: Final[Settings] = {"torch_threads": "1", "max_queue_batches": "32"}
UNJOINED: Final[Settings] = {"max_batch_graphs": "1", "max_queue_batches": "1024"}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server answers, and the processes behind it by what they are."""

    grpc: str
    rest: str
    processes: Mapping[str, int]

    def target(self, protocol: str) -> str:
        """HOST:PORT of grpc, json or binary."""
        return self.grpc if protocol == "grpc" else self.rest


@contextmanager
def predictor(model_dir: Path, settings: Settings) -> Iterator[Server]:
    """Our predictor on the server's core."""
    rest, grpc = free_ports(2)
    own = _COMMON | _PREDICTOR | {"model_dir": str(model_dir)} | settings_for("predictor", settings)
    service = start("predictor", rest, grpc, own)
    pin(service.process.pid, SERVER_CORE)
    with _stopping(service):
        wait_until_ready([service])
        yield Server(f"{HOST}:{grpc}", f"{HOST}:{rest}", {"predictor": service.process.pid})


@contextmanager
def transformer(front: Server, graph_store: Path, settings: Settings) -> Iterator[Server]:
    """Our transformer before a predictor, on the generator's core."""
    rest, grpc = free_ports(2)
    own = _COMMON | {"graph_store": str(graph_store), "predictor_host": front.grpc}
    service = start("transformer", rest, grpc, own | settings_for("transformer", settings))
    pin(service.process.pid, GENERATOR_CORE)
    with _stopping(service):
        wait_until_ready([service])
        processes = {"transformer": service.process.pid, **front.processes}
        yield Server(f"{HOST}:{grpc}", f"{HOST}:{rest}", processes)


@contextmanager
def plain_kserve(model_dir: Path) -> Iterator[Server]:
    """The baseline on the server's core; its log lines are written but not kept."""
    rest, grpc = free_ports(2)
    flags = [f"--model_name={RISK_MODEL}", f"--http_port={rest}", f"--grpc_port={grpc}"]
    command = [sys.executable, "-m", _BASELINE, f"--model_dir={model_dir}", *flags]
    with subprocess.Popen(command, stdout=_NOWHERE, stderr=_NOWHERE, start_new_session=True) as process:  # noqa: S603
        pin(process.pid, SERVER_CORE)
        service = Service("plain KServe predictor", rest, process)
        with _stopping(service):
            wait_until_ready([service])
            yield Server(f"{HOST}:{grpc}", f"{HOST}:{rest}", {"plain": process.pid})


@contextmanager
def trivial_server(scores: int) -> Iterator[Server]:
    """The server that only answers, on the server's core: the generator's own limit."""
    [port] = free_ports(1)
    command = [sys.executable, "-m", _TRIVIAL, str(port), str(scores)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603
        pin(process.pid, SERVER_CORE)
        try:
            if not process.stdout or not process.stdout.readline():
                raise ServiceFailed("the trivial server did not start")
            yield Server(f"{HOST}:{port}", "", {"trivial": process.pid})
        finally:
            process.kill()


def batches_of(server: Server) -> tuple[float, float]:
    """Graphs that a predictor has scored so far and the batches they were in; zeros where it does not say."""
    with urllib.request.urlopen(f"http://{server.rest}/metrics", timeout=10.0) as answer:
        series = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[:1] != "#")
    graphs, batches = (float(series.get(f"dns_risk_batch_graphs_{what}", 0)) for what in ("sum", "count"))
    return graphs, batches


@contextmanager
def _stopping(service: Service) -> Iterator[None]:
    try:
        yield
    finally:
        service.stop()
