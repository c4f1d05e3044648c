"""What stands in the zone, as real resolvers take it: the operator's names pass, and nothing breaks a transfer."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.zone
import pytest

from inference_services.processes import free_ports
from load_tests.bench_resolver.configurations import TAP
from load_tests.bench_resolver.resolvers import ADDRESS, ALIAS, RealProcess, Resolver, missing, resolver
from load_tests.bench_resolver.sidecar_process import ZONE, SidecarProcess, TapSender, sidecar
from load_tests.waiting import poll
from resolver.frame_streams import frame
from resolver.rpz.journal import Journal
from resolver.rpz.rules import NXDOMAIN, Rule
from resolver.wire_names import from_text
from tests.resolver.harsh_transformer import harsh_transformer
from tests.resolver.hostile_names import dnstap_of
from tests.serving.server_process import HOST

pytestmark = pytest.mark.slow
BY_ZONE = pytest.mark.parametrize("kind", ["unbound", "bind", "powerdns"])
FAR_S = 4_000_000_000
ODD = r"odd\032name\000\255.evil.tk"


@contextmanager
def beside(
    kind: str, folder: Path, upstream: int, *blocked: str, allow: str = ""
) -> Iterator[tuple[Resolver, SidecarProcess]]:
    """A resolver beside a sidecar whose zone blocks these names, without a transformer."""
    if missing(kind):
        pytest.skip(f"not installed: {missing(kind)}")
    (folder / "state").mkdir()
    journal = Journal(folder / "state")
    zone = journal.load(1000)
    for name in blocked:
        zone.put(Rule(from_text(name), NXDOMAIN), FAR_S)
    journal.append(zone.commit())
    (folder / "allow.txt").write_text(allow)
    [port] = free_ports(1)
    options = {"mode": "block", "allowlist_file": folder / "allow.txt", "rpz_notify": f'["localhost:{port}"]'}
    with ExitStack() as stack:
        process = stack.enter_context(sidecar(folder, f"{HOST}:9", **options))
        places = (upstream, process.tap_path, process.rpz_port, process.datagram_port)
        real = stack.enter_context(resolver(kind, folder / kind, *places, port=port, joined=TAP))
        yield real, process


@BY_ZONE
def test_an_alias_of_the_operators_passes_whatever_it_leads_to(
    kind: str, upstream: int, tmp_path: Path
) -> None:
    """At once, by a rule of the zone; the name it leads to is blocked for who asks for it, until it is known for one."""
    alias, target = ALIAS
    with beside(kind, tmp_path, upstream, target, "evil.tk", allow="ours.tk\n") as (real, process):
        poll(lambda: real.rcode("evil.tk") == "NXDOMAIN", limit_s=20)
        answer = real.ask(alias)
        assert [rdata.to_text() for rrset in answer.answer for rdata in rrset] == [f"{target}.", ADDRESS]
        poll(lambda: target not in process.names(), limit_s=10)
        poll(lambda: real.rcode(target) == "NOERROR", limit_s=10)
        assert real.rcode("evil.tk") == "NXDOMAIN"
        assert real.rcode("anything.ours.tk") == real.rcode("ours.tk") == "NOERROR"


@BY_ZONE
def test_names_of_odd_octets_are_transferred_and_blocked(kind: str, upstream: int, tmp_path: Path) -> None:
    """Whatever octets a name on the wire has."""
    with beside(kind, tmp_path, upstream, ODD, "evil.tk") as (real, _):
        poll(lambda: real.rcode("evil.tk") == "NXDOMAIN", limit_s=20)
        assert real.rcode(ODD) == "NXDOMAIN"
        assert real.rcode("fine.tk") == "NOERROR"


def test_whatever_was_asked_nsd_bind_and_unbound_have_the_zone_that_we_serve(
    upstream: int, tmp_path: Path
) -> None:
    """Hundreds of hostile names in frames and datagrams, with restarts between: three secondaries follow every change."""
    if lacking := " ".join(filter(None, map(missing, ("unbound", "bind")))):
        pytest.skip(f"not installed: {lacking}")
    [unbound, bind, nsd] = free_ports(3)
    rng = random.Random(13)  # noqa: S311 - repeatable, nobody guards anything by it
    with ExitStack() as stack:
        harsh = stack.enter_context(harsh_transformer())
        notify = json.dumps([f"localhost:{port}" for port in (unbound, bind, nsd)])
        process = stack.enter_context(sidecar(tmp_path, harsh.target, mode="block", rpz_notify=notify))
        places = (upstream, process.tap_path, process.rpz_port, process.datagram_port)
        for kind, port in (("unbound", unbound), ("bind", bind)):
            stack.enter_context(resolver(kind, tmp_path / kind, *places, port=port, joined=TAP))
        stack.enter_context(secondary(tmp_path / "nsd", nsd, process.rpz_port))
        for turn in range(4):
            hostile(process, rng)
            mark = f"mark-of-turn{turn}.evil.tk"
            process.ask(mark, 5000)
            poll(lambda mark=mark: mark in process.names(), limit_s=20)
            for port in (unbound, bind):
                poll(lambda mark=mark, port=port: rcode_at(port, mark) == dns.rcode.NXDOMAIN, limit_s=60)
            poll(lambda: owners_at(nsd) == owners_at(process.rpz_port), limit_s=60)
            process.process.kill()
            process.process.wait()
            process.start()
        assert len(process.names()) > 100


def hostile(process: SidecarProcess, rng: random.Random) -> None:
    """Names of all kinds, over both ways in."""
    tap = TapSender(process.tap_path)
    odd = [
        b"*",
        b"rpz-ip",
        b"com",
        b"tk",
        b"duckdns",
        b"org",
        b"\0",
        b"a.b",
        b"\\",
        b"\xff",
        b"local",
        b"-",
        b"@",
    ]
    for _ in range(150):
        labels = [
            rng.choice(odd) if rng.random() < 0.5 else rng.randbytes(rng.randint(1, 30))
            for _ in range(rng.randint(1, 4))
        ]
        tap.send_raw(frame(dnstap_of([*labels, rng.choice([b"tk", b"com", b"org"])])))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for text in (
            "*.duckdns.org",
            "a..tk",
            "evil.tk..",
            "\\042.webflow.io",
            "\\000.tk",
            "x.rpz-ip",
            "a\\.b.tk",
        ):
            client.sendto(f"1 900 A {text}".encode(), (HOST, process.datagram_port))
    tap.close()


def rcode_at(port: int, name: str) -> dns.rcode.Rcode:
    """What a resolver answers."""
    return dns.query.udp(dns.message.make_query(name, "A"), HOST, 5, port).rcode()


def owners_at(port: int) -> set[str]:
    """What a primary or secondary gives away by AXFR; nothing while it has no zone yet."""
    try:
        transfer = dns.query.xfr(HOST, ZONE, port=port, lifetime=20)
        return {str(name) for name in dns.zone.from_xfr(transfer).nodes}
    except (dns.exception.DNSException, OSError, EOFError):
        return set()


@contextmanager
def secondary(folder: Path, port: int, primary: int) -> Iterator[RealProcess]:
    """NSD with the zone of a primary, which it gives to anybody."""
    folder.mkdir()
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
remote-control:
  control-enable: no
zone:
  name: "{ZONE}"
  request-xfr: {HOST}@{primary} NOKEY
  allow-notify: {HOST} NOKEY
  provide-xfr: {HOST} NOKEY
""")
    server = RealProcess(folder, ["nsd", "-d", "-c", str(folder / "nsd.conf")])
    try:
        yield server
    finally:
        server.stop()
