"""Predictor and transformer as two processes on this machine: `make run`, evaluation and benchmarks.

The same entry points and settings as in the images; only ports and addresses are local.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.tensors import RISK_MODEL
from inference_services.machine import environment_of, taken_ports

HOST: Final = "127.0.0.1"
READY_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05

Port = Annotated[int, Field(ge=1, le=65535)]


class LocalSettings(BaseSettings):
    """Ports and places of the local services, from the environment variables of the same names."""

    model_config = SettingsConfigDict(frozen=True, protected_namespaces=(), populate_by_name=True)

    transformer_rest_port: Port = 8080
    transformer_grpc_port: Port = 8081
    predictor_rest_port: Port = 8082
    predictor_grpc_port: Port = 8083
    # Also by the services' own names for them, which their error messages and commands mention.
    model_dir: Path = Field(
        default=Path("models/dns-risk/1"), validation_alias=AliasChoices("MODEL_DIR", "DNS_RISK_MODEL_DIR")
    )
    graph_store: Path = Field(
        default=Path("graph-store"), validation_alias=AliasChoices("GRAPH_STORE", "DNS_RISK_GRAPH_STORE")
    )

    def ports(self) -> dict[str, int]:
        """The ports by the environment variables that set them."""
        return {name.upper(): port for name, port in self if name.endswith("_port")}


class ServiceFailed(Exception):
    """A service cannot start, ended or did not become ready."""


class ServiceRefused(ServiceFailed):
    """A service would not start; its own last line has said why."""


@dataclass(slots=True)
class Service:
    """One child process and where it answers."""

    name: str
    rest_port: int
    process: subprocess.Popen[bytes]

    def ready(self) -> bool:
        """Whether the model can answer.

        Raises:
            ServiceFailed: the process has ended; ServiceRefused where it did so itself.
        """
        if self.ended:
            raise (ServiceRefused if self.process.returncode > 0 else ServiceFailed)(self.ended)
        url = f"http://{HOST}:{self.rest_port}/v2/models/{RISK_MODEL}/ready"
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=1.0):
            return True
        return False

    @property
    def ended(self) -> str:
        """How the process ended, "" while it runs."""
        status = self.process.poll()
        return "" if status is None else f"the {self.name} ended with status {status}"

    def stop(self) -> None:
        """Ask the process to drain and wait until it has ended; a second Ctrl-C ends it at once."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self.process.kill()
            self.process.wait()


def start(module: str, rest_port: int, grpc_port: int, settings: Mapping[str, object]) -> Service:
    """Start `python -m module` in a session of its own, so that Ctrl-C reaches only the parent."""
    own = {f"DNS_RISK_{name}".upper(): str(value) for name, value in settings.items()}
    environment = environment_of(module, os.environ) | own
    command = [sys.executable, "-m", module, f"--http_port={rest_port}", f"--grpc_port={grpc_port}"]
    process = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603
    return Service(module, rest_port, process)


@contextmanager
def running(settings: LocalSettings, **transformer: object) -> Iterator[list[Service]]:
    """Both services, ready; stopped on leaving, the transformer first since it needs the other.

    Raises:
        ServiceFailed: one of them ended, or was not ready within a minute.
    """
    services: list[Service] = []
    try:
        services.append(_start_predictor(settings))
        services.append(_start_transformer(settings, transformer))
        wait_until_ready(services)
        yield services
    finally:
        for service in reversed(services):
            service.stop()


def _start_predictor(settings: LocalSettings) -> Service:
    own = {"host": HOST, "log_level": "WARNING", "model_dir": settings.model_dir}
    return start("predictor", settings.predictor_rest_port, settings.predictor_grpc_port, own)


def _start_transformer(settings: LocalSettings, more: Mapping[str, object]) -> Service:
    own: dict[str, object] = {
        "host": HOST,
        "log_level": "WARNING",
        "graph_store": settings.graph_store,
        "predictor_host": f"{HOST}:{settings.predictor_grpc_port}",
        **more,
    }
    return start("transformer", settings.transformer_rest_port, settings.transformer_grpc_port, own)


def wait_until_ready(services: list[Service]) -> None:
    """Return when every service is ready.

    Raises:
        ServiceFailed: one ended, or time is up.
    """
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    waiting = list(services)
    while waiting:
        waiting = [service for service in waiting if not service.ready()]
        if waiting and time.monotonic() > deadline_s:
            raise ServiceFailed(f"the {waiting[0].name} was not ready after {READY_TIMEOUT_S:.0f} s")
        time.sleep(POLL_S)


def until_stopped(services: list[Service]) -> None:
    """Wait for Ctrl-C or SIGTERM.

    Raises:
        ServiceFailed: a service ended by itself.
        KeyboardInterrupt: told to stop.
    """
    while True:
        for service in services:
            if service.ended:
                raise ServiceFailed(service.ended)
        time.sleep(0.2)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in sockets]


def import_sample(settings: LocalSettings, sample: Path) -> None:
    """Fill an empty graph store from the sample."""
    if (settings.graph_store / "CURRENT").exists():
        return
    command = [sys.executable, "-m", "transformer.graph_store", "import", str(sample)]
    subprocess.run([*command, "--store", str(settings.graph_store)], check=True)  # noqa: S603


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Serve until Ctrl-C; the result is the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        settings = read_settings()
        import_sample(settings, Path("examples/passive_dns.jsonl"))
        with running(settings) as services:
            print(welcome(settings), flush=True)
            until_stopped(services)
    except KeyboardInterrupt:
        return 0
    except (subprocess.CalledProcessError, ServiceRefused):
        return 1
    except ServiceFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def read_settings() -> LocalSettings:
    """The settings of this environment, on ports that are free.

    Raises:
        ServiceFailed: an impossible setting or a port in use, with the variable that sets it.
    """
    try:
        settings = LocalSettings()
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]).upper()
        raise ServiceFailed(f"{name}={problem['input']}: {problem['msg'].lower()}") from None
    taken = taken_ports(HOST, settings.ports())
    if taken:
        in_use = ", ".join(f"{settings.ports()[name]} ({name})" for name in taken)
        raise ServiceFailed(f"port in use: {in_use}; set the variable to a free port")
    return settings


def welcome(settings: LocalSettings) -> str:
    """Where the services are, and a request to try."""
    rest = f"http://{HOST}:{settings.transformer_rest_port}"
    body = '{"inputs":[{"name":"domain","shape":[1],"datatype":"BYTES","data":["example.com"]}]}'
    return (
        f"dns-risk is ready: REST {rest}, gRPC {HOST}:{settings.transformer_grpc_port} (Ctrl-C stops it). "
        f"Try: curl -s {rest}/v2/models/{RISK_MODEL}/infer -d '{body}'"
    )


if __name__ == "__main__":
    sys.exit(main())
