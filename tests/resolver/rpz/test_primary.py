"""The hidden primary answers transfers as its RFCs say, to a client of another make."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.zone
import pytest

from inference_services.processes import free_ports
from load_tests.bench_resolver.sidecar_process import ZONE, SidecarProcess, sidecar
from resolver.rpz.journal import Journal
from tests.resolver.rpz.rules import bad
from tests.serving.server_process import HOST

pytestmark = pytest.mark.slow
ORIGIN = dns.name.from_text(ZONE)
KEY = dns.tsig.Key("transfer", base64.b64encode(b"secret of this test"), "hmac-sha256")
NAMES = 30_000


def filled(folder: Path, names: int) -> int:
    """A journal with so many names in the folder of a sidecar's state; its serial."""
    (folder / "state").mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / "state")
    zone = journal.load(1_000_000)
    for number in range(names):
        zone.put(bad(f"n{number}.many.com"), 4_000_000_000)
    journal.append(zone.commit())
    zone.put(bad("odd\\032octets\\000.many.com"), 4_000_000_000)
    zone.drop(bad("n0.many.com"))
    journal.append(zone.commit())
    return zone.serial


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarProcess]:
    """A sidecar whose zone has many names, without a transformer."""
    folder = tmp_path_factory.mktemp("primary")
    filled(folder, NAMES)
    with sidecar(folder, f"{HOST}:{free_ports(1)[0]}", mode="block") as process:
        yield process


def asked(process: SidecarProcess, message: dns.message.Message, *, tcp: bool = True) -> dns.message.Message:
    """The answer to one message."""
    query = dns.query.tcp if tcp else dns.query.udp
    return query(message, HOST, 5, process.rpz_port)


def test_the_whole_zone_is_transferred(primary: SidecarProcess) -> None:
    """In several messages, as CNAME . for each name, whatever octets it has."""
    zone = primary.zone()
    assert len(zone.nodes) == NAMES + 1
    assert str(zone.get_rdataset("n7.many.com", "CNAME")[0].target) == "."
    assert r"odd\032octets\000.many.com" in {str(name) for name in zone.nodes}
    assert zone.get_rdataset("n0.many.com", "CNAME") is None


@pytest.mark.parametrize("tcp", [True, False])
def test_its_serial_is_told_on_both_transports(primary: SidecarProcess, tcp: bool) -> None:
    """By SOA, with authority; over UDP also where a difference was asked for, so that it is fetched over TCP."""
    for kind in ("SOA", "IXFR"):
        message = dns.message.make_query(ORIGIN, kind)
        if kind == "IXFR" and tcp:
            continue
        [rrset] = asked(primary, message, tcp=tcp).answer
        assert rrset[0].serial == primary.zone().get_rdataset("@", "SOA")[0].serial


@pytest.mark.parametrize(
    ("name", "kind"),
    [(ZONE, "A"), ("n7.many.com.rpz.risk", "CNAME"), ("example.com", "SOA"), (ZONE, "NS")],
)
def test_it_is_no_resolver(primary: SidecarProcess, name: str, kind: str) -> None:
    """Whatever is not a transfer of its zone is refused."""
    assert asked(primary, dns.message.make_query(name, kind)).rcode() == dns.rcode.REFUSED


def test_garbage_is_not_answered_and_harms_nothing(primary: SidecarProcess) -> None:
    """Over both transports, also lengths that promise too much."""
    with socket.create_connection((HOST, primary.rpz_port), 5) as stream:
        stream.sendall(b"\xff\xff" + b"x" * 100)
        assert stream.recv(1) == b""
    with socket.create_connection((HOST, primary.rpz_port), 5) as stream:
        stream.sendall(b"\x00\x05hello")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for datagram in (b"", b"x", b"\x00" * 12, bytes(range(256))):
            client.sendto(datagram, (HOST, primary.rpz_port))
    assert len(primary.zone().nodes) == NAMES + 1


def test_a_peer_that_does_not_read_keeps_nobody_waiting(primary: SidecarProcess) -> None:
    """Its transfer stands still, the next one is whole."""
    with socket.create_connection((HOST, primary.rpz_port), 5) as slow:
        wire = dns.message.make_query(ORIGIN, "AXFR").to_wire()
        slow.sendall(len(wire).to_bytes(2, "big") + wire)
        assert len(primary.zone().nodes) == NAMES + 1
        assert primary.ask("kernel.org", 20)[0] in "USE"


def test_transfers_are_signed_where_there_is_a_key(tmp_path: Path) -> None:
    """Several messages under one signature; without it, or with another key, nothing is given away."""
    key_file = tmp_path / "key"
    secret = base64.b64encode(KEY.secret).decode()
    key_file.write_text(f'key "transfer" {{ algorithm hmac-sha256; secret "{secret}"; }};')
    key_file.chmod(0o600)
    filled(tmp_path, 5_000)
    with sidecar(tmp_path, "127.0.0.1:9", mode="block", rpz_tsig_key_file=key_file) as process:
        assert len(process.zone(KEY).nodes) == 5_001
        with pytest.raises(dns.query.TransferError, match="REFUSED"):
            process.zone()
        other = dns.tsig.Key("other", KEY.secret, "hmac-sha256")
        with pytest.raises((dns.exception.DNSException, dns.query.TransferError)):
            process.zone(other)
        wrong = dns.tsig.Key("transfer", base64.b64encode(b"another secret here"), "hmac-sha256")
        with pytest.raises((dns.exception.DNSException, OSError, EOFError)):
            process.zone(wrong)
        assert process.metric('transfers_total{kind="axfr"}') == 1
