"""Service processes on this machine: start, wait until ready, stop.

The same entry points and settings as in the images; only ports and addresses are local.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from random import SystemRandom
from typing import Final

from contract.tensors import RISK_MODEL
from inference_services.machine import environment_of

HOST: Final = "127.0.0.1"
READY_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05
# Linux gives callers ports from 32768 up, other systems from 49152 up.
_PORTS: Final = range(10_240, 32_768)


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


def wait_until_ready(services: Sequence[Service]) -> None:
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


def until_stopped(services: Sequence[Service]) -> None:
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
    """Different ports on which nothing listens just now, over TCP or UDP.

    Outside of those that a system gives to callers: no caller takes one before its server is up, or while the
    server is started again.

    Raises:
        ServiceFailed: there are not so many.
    """
    ports = SystemRandom().sample(_PORTS, len(_PORTS))
    found = list(islice(filter(_is_free, ports), count))
    if len(found) < count:
        raise ServiceFailed(f"expected {count} free ports from {_PORTS.start} to {_PORTS.stop - 1}")
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        try:
            stream.bind((HOST, port))
            datagrams.bind((HOST, port))
        except OSError:
            return False
    return True
