"""The sidecar as a process, and what asks it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import dns.flags
import dns.message
import dns.query
import dns.rrset
import dns.tsig
import dns.zone
import httpx

from inference_services.processes import HOST, free_ports
from load_tests.waiting import poll
from resolver.dnstap import payload_of
from resolver.frame_streams import CONTENT_TYPE, READY, START, STOP, control, frame

ZONE: Final = "rpz.risk"
PREFIX = "DNS_RISK_RESOLVER_"


class SidecarProcess:
    """`python -m resolver` with ports of its own."""

    def __init__(self, folder: Path, transformer: str, **settings: object) -> None:
        self.rpz_port, self.datagram_port, self.http_port = free_ports(3)
        self.tap_path = folder / "tap.sock"
        own = {
            "transformer": transformer, "dnstap_socket": self.tap_path, "rpz_port": self.rpz_port,
            "datagram_port": self.datagram_port, "http_port": self.http_port, "state_dir": folder / "state",
        }  # fmt: skip
        given = {f"{PREFIX}{name.upper()}": str(value) for name, value in (own | settings).items()}
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)} | given
        self._log = TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.start()

    def start(self) -> None:
        """Start it, for the first time or again."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "resolver"], env=self._environment,
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        poll(lambda: self.process.poll() is not None or self.health() is not None, limit_s=60)
        if self.process.poll() is not None:
            said = self.log()
            self._log.close()
            raise AssertionError(said)

    def log(self) -> str:
        """Everything it has written."""
        return os.pread(self._log.fileno(), 1 << 22, 0).decode()

    def health(self) -> dict[str, object] | None:
        """What /healthz says; None when nobody answers."""
        try:
            return dict(httpx.get(f"http://{HOST}:{self.http_port}/healthz", timeout=5).json())
        except httpx.TransportError:
            return None

    def metric(self, series: str) -> float:
        """A time series, with its labels as they are exported; 0 where there is none."""
        page = httpx.get(f"http://{HOST}:{self.http_port}/metrics", timeout=10).text
        values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
        return float(values.get(f"dns_risk_resolver_{series}", 0))

    def zone(self, key: dns.tsig.Key | None = None) -> dns.zone.Zone:
        """The whole zone by AXFR."""
        keyring = None if key is None else {key.name: key}
        transfer = dns.query.xfr(
            HOST, ZONE, port=self.rpz_port, lifetime=20, keyring=keyring,
            keyname=key.name if key else None,
            keyalgorithm=key.algorithm if key else dns.tsig.default_algorithm,
        )  # fmt: skip
        return dns.zone.from_xfr(transfer)

    def transferred(self, records: int) -> int:
        """Octets of a transfer of so many records, of which only the headers are read."""
        query = dns.message.make_query(ZONE, "AXFR").to_wire()
        octets = 0
        with socket.create_connection((HOST, self.rpz_port), 10) as stream, stream.makefile("rb") as answers:
            stream.sendall(len(query).to_bytes(2, "big") + query)
            while records > 0:
                message = answers.read(int.from_bytes(answers.read(2), "big"))
                octets += len(message)
                records -= int.from_bytes(message[6:8], "big")
        return octets

    def names(self) -> set[str]:
        """What is in the zone by scores; names of the allowlist stand there with all below them."""
        names = {str(name) for name in self.zone().nodes if str(name) != "@"}
        return {name for name in names if not name.startswith("*.") and f"*.{name}" not in names}

    def ask(self, name: str, budget_ms: int = 500) -> tuple[str, str]:
        """S, U or E, and the reason."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.sendto(f"q1 {budget_ms} A {name}".encode(), (HOST, self.datagram_port))
            number, kind, _, _, reason = client.recv(512).decode().split(" ")
        if number not in ("q1", "-"):
            raise AssertionError(f"an answer to {number}")
        return kind, reason

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def close(self) -> None:
        """Forget its log."""
        self._log.close()

    def stop(self) -> None:
        """End it politely."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@contextmanager
def sidecar(folder: Path, transformer: str, **settings: object) -> Iterator[SidecarProcess]:
    """One for the length of a block."""
    process = SidecarProcess(folder, transformer, **settings)
    try:
        yield process
    finally:
        process.stop()
        process.close()


class TapSender:
    """A resolver's end of a dnstap stream."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(str(path))
        self._socket.sendall(control(READY, CONTENT_TYPE))
        if not self._socket.recv(512):
            raise AssertionError("the stream was refused")
        self._socket.sendall(control(START, CONTENT_TYPE))

    def send(self, *names: str, address: str = "11.22.33.44") -> None:
        """One answer for each name."""
        now_s = int(time.time())
        self._socket.sendall(b"".join(frame(payload_of(response(name, address), now_s)) for name in names))

    def send_raw(self, frames: bytes) -> None:
        """Frames that are made already."""
        self._socket.sendall(frames)

    def close(self) -> bytes:
        """Say that it is over; what is answered."""
        self._socket.sendall(control(STOP))
        with self._socket:
            return self._socket.recv(512)


def response(name: str, address: str = "11.22.33.44") -> bytes:
    """A response on the wire with one address."""
    message = dns.message.make_query(name, "A", id=7)
    message.flags |= dns.flags.QR
    message.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "A", address))
    return message.to_wire()
