"""What stands in the zone, as real resolvers take it: the operator's names pass, and nothing breaks a transfer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from inference_services.processes import free_ports
from load_tests.bench_resolver.configurations import TAP
from load_tests.bench_resolver.resolvers import ADDRESS, ALIAS, Resolver, missing, resolver
from load_tests.bench_resolver.sidecar_process import SidecarProcess, sidecar
from load_tests.waiting import poll
from resolver.rpz.journal import Journal
from resolver.rpz.rules import NXDOMAIN, Rule
from resolver.wire_names import from_text
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
