"""Real resolvers as processes on loopback, before an authority that knows every name, and an alias."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import dns.edns
import dns.exception
import dns.message
import dns.query
import dns.rcode

from inference_services.processes import HOST, free_ports
from load_tests.bench_resolver.configurations import PLUGIN, PLUGINS, WRITERS
from load_tests.waiting import poll

PROGRAMS = {"unbound": "unbound", "bind": "named", "powerdns": "pdns_recursor", "knot": "kresd"}
ADDRESS: Final = "11.22.33.44"
ALIAS: Final = ("www.ours.tk", "target-of-ours.tk")
"""a name, and what it is an alias of"""
_ROOT_ZONE = f"""\
$TTL 60
. SOA a. b. 1 60 60 60 60
. NS a.
a. A 127.0.0.1
* A {ADDRESS}
*.tk A {ADDRESS}
ours.tk A {ADDRESS}
*.ours.tk A {ADDRESS}
{ALIAS[0]}. CNAME {ALIAS[1]}.
"""
# Debian puts Unbound's Python names where its own Python looks, which the daemon embeds.
_UNBOUND_PATH = "/usr/lib/python3/dist-packages"


class RealProcess:
    """A server program in a folder of its own, stopped by its process."""

    def __init__(self, folder: Path, command: list[str], **environment: str) -> None:
        self.folder = folder
        self._log = (folder / "log").open("ab")
        self.process = subprocess.Popen(  # noqa: S603 - programs that are installed
            command, cwd=folder, env=os.environ | environment,
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def log(self) -> str:
        """What it has written."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._log.close()


class Resolver(RealProcess):
    """One that answers on a port."""

    def __init__(self, folder: Path, kind: str, port: int, command: list[str], **environment: str) -> None:
        self.kind, self.port = kind, port
        super().__init__(folder, command, **environment)
        try:
            poll(self._answers, limit_s=20)
        except BaseException:
            self.stop()
            raise

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(self.log())
        try:
            return self.ask("probe.example.org").rcode() == dns.rcode.NOERROR
        except (dns.exception.DNSException, OSError):
            return False

    def ask(self, name: str, kind: str = "A", tries: int = 1) -> dns.message.Message:
        """One answer, with room for what is beside it; asked again after a while if it may be."""
        query = dns.message.make_query(name, kind, use_edns=0)
        for left in reversed(range(tries)):
            try:
                return dns.query.udp(query, HOST, 5.0 if not left else 1.0, self.port)
            except dns.exception.Timeout:
                if not left:
                    raise
        raise ValueError(f"tries {tries}: at least one")

    def rcode(self, name: str, tries: int = 1) -> str:
        """What the answer says, such as NOERROR."""
        return dns.rcode.to_text(self.ask(name, tries=tries).rcode())

    def told(self, name: str) -> list[tuple[int, str]]:
        """The extended errors beside an answer: code and text."""
        options = self.ask(name).options
        return [(int(o.code), o.text or "") for o in options if isinstance(o, dns.edns.EDEOption)]

    def reload(self) -> None:
        """As its operator does."""
        if self.kind == "powerdns":
            rec_control = ["rec_control", f"--socket-dir={self.folder}", "reload-lua-script"]
            subprocess.run(rec_control, check=True, capture_output=True)  # noqa: S603
        else:
            self.process.send_signal(signal.SIGHUP)


@contextmanager
def authority(folder: Path) -> Iterator[int]:
    """NSD, which answers every name of the root zone; its port."""
    [port] = free_ports(1)
    folder.mkdir()
    (folder / "root.zone").write_text(_ROOT_ZONE)
    (folder / "nsd.conf").write_text(f"""\
server:
  ip-address: {HOST}@{port}
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  database: ""
  username: ""
  xfrdfile: ""
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: "root.zone"
""")
    server = RealProcess(folder, ["nsd", "-d", "-c", str(folder / "nsd.conf")])
    try:
        yield port
    finally:
        server.stop()


@contextmanager
def resolver(
    kind: str,
    folder: Path,
    upstream: int,
    tap: Path,
    rpz: int,
    datagrams: int,
    *,
    port: int | None = None,
    joined: str = PLUGIN,
) -> Iterator[Resolver]:
    """A resolver with what its page says to configure: all of it, dnstap and the zone, or nothing."""
    own = port or free_ports(1)[0]
    folder.mkdir()
    command = WRITERS[kind](folder, own, upstream, tap, rpz, joined)
    environment = {
        "DNS_RISK_PLUGIN_ADDRESS": f"{HOST}:{datagrams}",
        "DNS_RISK_PLUGIN_BLOCK": "1",
        "DNS_RISK_PLUGIN_LUA": str(PLUGINS / "lua"),
        "PYTHONPATH": _UNBOUND_PATH,
    }
    process = Resolver(folder, kind, own, command, **environment)
    try:
        yield process
    finally:
        process.stop()


def missing(kind: str) -> str:
    """Which programs are not installed; "" where all are."""
    return " ".join(name for name in (PROGRAMS[kind], "nsd") if shutil.which(name) is None)
