"""The sidecar as a process: what resolvers answered is scored and published, and whatever fails costs scores only."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import httpx
import pytest

from inference_services.processes import free_ports
from load_tests.bench_resolver.sidecar_process import ZONE, SidecarProcess, TapSender, response, sidecar
from load_tests.waiting import poll
from resolver.dnstap import payload_of
from resolver.frame_streams import START, control, frame
from tests.resolver.bad_names import GOOD, fresh_bad_name
from tests.serving.server_process import HOST, REPOSITORY, ServerProcess

pytestmark = pytest.mark.slow


@pytest.fixture
def blocking(scoring: ServerProcess, tmp_path: Path) -> Iterator[SidecarProcess]:
    """One that blocks, and keeps passive DNS for a moment at a time."""
    allow = tmp_path / "allow.txt"
    allow.write_text("ours.tk\n")
    options = {
        "mode": "block",
        "allowlist_file": allow,
        "passive_dns_dir": tmp_path / "pdns",
        "passive_dns_rotate_s": 1,
    }
    with sidecar(tmp_path, scoring.grpc_target, **options) as process:
        yield process


def test_what_resolvers_answer_ends_in_the_zone(blocking: SidecarProcess, tmp_path: Path) -> None:
    """A bad name is published, good and allowed ones are not; passive DNS is kept; the stream ends politely."""
    bad = fresh_bad_name()
    tap = TapSender(blocking.tap_path)
    tap.send(bad, GOOD, "paypal-login-verify1.ours.tk", "7.2.0.192.in-addr.arpa", "www.google.com")
    poll(lambda: bad in blocking.names())
    assert blocking.names() == {bad}
    assert blocking.metric('names_total{outcome="listed"}') == 3
    assert blocking.metric('names_total{outcome="reverse"}') == 1
    tap.send(bad)
    poll(lambda: blocking.metric('names_total{outcome="cached"}') == 1)
    assert tap.close().endswith(b"\x00\x00\x00\x05")
    poll(lambda: any((tmp_path / "pdns").glob("*.jsonl")))
    lines = [
        json.loads(line)
        for path in (tmp_path / "pdns").glob("*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert {line["rrname"] for line in lines} >= {bad, GOOD}
    assert all(line["rdata"] == "11.22.33.44" for line in lines)


def test_several_resolvers_and_broken_ones(blocking: SidecarProcess) -> None:
    """Garbage on one stream, frames that are no dnstap on another: counted, and the third is heard."""
    first, second = TapSender(blocking.tap_path), TapSender(blocking.tap_path)
    with socket.socket(socket.AF_UNIX) as garbage:
        garbage.connect(str(blocking.tap_path))
        garbage.sendall(os.urandom(4000) or b"x")
    first._socket.sendall(b"\x00\x00\x00\x03abc\x00\x00\x00\x06\x72\x04\x08\x06\x72\x00")  # noqa: SLF001
    bad = fresh_bad_name()
    second.send(bad)
    poll(lambda: bad in blocking.names())
    assert blocking.metric('frames_total{outcome="broken_payload"}') >= 1
    assert blocking.health() is not None
    first.close()
    second.close()


def test_datagrams_are_answered_within_their_budget(blocking: SidecarProcess) -> None:
    """Scored, known the next time, too short a budget is U, and what is no question is E."""
    bad, late = fresh_bad_name(), fresh_bad_name()
    assert blocking.ask(bad, 5000) == ("S", "block/phishing")
    assert blocking.ask(bad.upper() + ".", 100) == ("S", "block/phishing")
    assert blocking.ask(GOOD, 5000)[0] == "S"
    assert blocking.ask("www.google.com", 100) == ("S", "allow/listed")
    assert blocking.ask(late, 1) == ("U", "late")
    poll(lambda: blocking.ask(late, 50) == ("S", "block/phishing"))
    for question in ("", "a b", "q" * 1100):
        assert blocking.ask(question) == ("E", "malformed")
    assert blocking.ask("a", 0) == ("E", "malformed")


def test_the_zone_outlives_a_kill(blocking: SidecarProcess) -> None:
    """Names and the serial are there again, the next serial is a later one, and IXFR goes on from the old one."""
    first, second = fresh_bad_name(), fresh_bad_name()
    blocking.ask(first, 5000)
    poll(lambda: blocking.names() == {first})
    serial = blocking.zone().get_rdataset("@", "SOA")[0].serial
    blocking.process.kill()
    blocking.process.wait()
    blocking.start()
    assert blocking.names() == {first}
    blocking.ask(second, 5000)
    poll(lambda: blocking.names() == {first, second})
    query = dns.message.make_query(dns.name.from_text(ZONE), "IXFR")
    soa = f"localhost. hostmaster. {serial} 0 0 0 0"
    query.authority.append(dns.rrset.from_text(f"{ZONE}.", 60, "IN", "SOA", soa))
    answer = dns.query.tcp(query, HOST, 5, blocking.rpz_port)
    changed = {str(rrset.name) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.CNAME}
    assert changed == {f"{second}.{ZONE}."}


def test_the_allowlist_is_read_again(blocking: SidecarProcess, tmp_path: Path) -> None:
    """On SIGHUP a name that is allowed now leaves the zone; a list that is broken leaves the old one in force."""
    bad = fresh_bad_name()
    blocking.ask(bad, 5000)
    poll(lambda: bad in blocking.names())
    (tmp_path / "allow.txt").write_text("no name here\n")
    blocking.signal(signal.SIGHUP)
    poll(lambda: "allowlist not read again" in blocking.log())
    assert bad in blocking.names()
    (tmp_path / "allow.txt").write_text(f"{bad}\n")
    blocking.signal(signal.SIGHUP)
    poll(lambda: bad not in blocking.names())
    assert blocking.ask(bad) == ("S", "allow/listed")


@pytest.mark.parametrize(("mode", "target"), [("monitor", None), ("log", "rpz-passthru.")])
def test_other_modes_block_nothing(
    scoring: ServerProcess, tmp_path: Path, mode: str, target: str | None
) -> None:
    """Monitoring publishes nothing, logging publishes what lets pass; nobody is told to block."""
    bad = fresh_bad_name()
    with sidecar(tmp_path, scoring.grpc_target, mode=mode) as process:
        assert process.ask(bad, 5000) == ("S", "monitor/phishing")
        assert process.metric('verdicts_total{action="block"}') == 1
        if target is None:
            assert process.names() == set()
        else:
            poll(lambda: process.names() == {bad})
            assert str(process.zone().get_rdataset(bad, "CNAME")[0].target) == target


def test_names_leave_the_zone_when_their_time_is_over(scoring: ServerProcess, tmp_path: Path) -> None:
    """Blocked for two seconds."""
    bad = fresh_bad_name()
    with sidecar(tmp_path, scoring.grpc_target, mode="block", block_ttl_s=2) as process:
        process.ask(bad, 5000)
        poll(lambda: process.names() == {bad})
        poll(lambda: process.names() == set())


def test_a_transformer_that_is_away_costs_scores_only(
    graph_store: Path, shipped_predictor: ServerProcess, tmp_path: Path
) -> None:
    """Killed, hung and back: questions are answered all the time, names seen meanwhile are scored afterwards."""
    rest, grpc = free_ports(2)
    with sidecar(tmp_path, f"{HOST}:{grpc}", mode="block", deadline_ms=300) as process:
        seen = fresh_bad_name()
        tap = TapSender(process.tap_path)
        tap.send(seen)
        poll(lambda: process.metric("transformer_up") == 0)
        began_s = time.monotonic()
        for _ in range(20):
            assert process.ask(fresh_bad_name(), 30)[0] == "U"
        assert time.monotonic() - began_s < 10
        with transformer_at((rest, grpc), shipped_predictor, graph_store) as front:
            poll(lambda: seen in process.names(), limit_s=30)
            assert process.metric("transformer_up") == 1
            front.signal(signal.SIGSTOP)
            hung = fresh_bad_name()
            assert process.ask(hung, 50) == ("U", "late")
            poll(
                lambda: process.ask(fresh_bad_name(), 30)[0] == "U" and process.metric("transformer_up") == 0
            )
            front.signal(signal.SIGCONT)
            poll(lambda: process.ask(hung, 50) == ("S", "block/phishing"), limit_s=30)
        tap.close()


@contextmanager
def transformer_at(ports: tuple[int, int], scorer: ServerProcess, store: Path) -> Iterator[ServerProcess]:
    """A transformer that answers where the sidecar expects it."""
    settings = {"predictor_host": scorer.grpc_target, "graph_store": str(store)}
    process = ServerProcess(("transformer",), settings, ports)
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.signal(signal.SIGCONT)
        process.stop()


def test_a_flood_is_shed(tmp_path: Path) -> None:
    """More names than may wait: the newest are left out and counted, questions are answered meanwhile."""
    with sidecar(tmp_path, "127.0.0.1:9", max_pending=100) as process:
        tap = TapSender(process.tap_path)
        for start in range(0, 20_000, 1000):
            tap.send(*(f"n{number}.many.com" for number in range(start, start + 1000)))
        poll(lambda: process.metric('frames_total{outcome="read"}') == 20_000, limit_s=30)
        assert process.metric('names_total{outcome="shed"}') >= 19_000
        assert process.metric("pending_names") <= 100
        assert process.ask("a.many.com", 20)[0] == "U"
        tap.close()


def test_passive_dns_becomes_a_snapshot(scoring: ServerProcess, tmp_path: Path) -> None:
    """After each rotation the files that are kept are imported, by a process of its own; what is in them is found."""
    store = tmp_path / "store"
    options = {"passive_dns_dir": tmp_path / "pdns", "passive_dns_rotate_s": 1, "graph_store": store}
    with sidecar(tmp_path, scoring.grpc_target, **options) as process:
        tap = TapSender(process.tap_path)
        tap.send("seen-by-us.com", address="11.51.100.9")
        poll(lambda: process.metric('imports_total{outcome="ok"}') == 1, limit_s=60)
        tap.close()
    command = [sys.executable, "-m", "transformer.graph_store", "show", "11.51.100.9", "--store", str(store)]
    shown = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert "seen-by-us.com" in shown


def test_garbage_never_stops_it(blocking: SidecarProcess) -> None:
    """Random octets as frames, as messages in frames, as datagrams and to the zone's port: it goes on scoring."""
    rng = random.Random(7)  # noqa: S311 - repeatable, nobody guards anything by it
    tap = TapSender(blocking.tap_path)
    wire = response("damaged.many.com")
    for _ in range(2000):
        damaged = bytearray(payload_of(wire, 1))
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        tap.send_raw(frame(bytes(damaged)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for turn in range(1000):
            port = blocking.datagram_port if turn % 2 else blocking.rpz_port
            client.sendto(rng.randbytes(rng.randint(0, 1500)), (HOST, port))
    for _ in range(50):
        with socket.socket(socket.AF_UNIX) as garbage:
            garbage.connect(str(blocking.tap_path))
            garbage.sendall(control(START) + rng.randbytes(rng.randint(1, 5000)))
    bad = fresh_bad_name()
    tap.send(bad)
    poll(lambda: bad in blocking.names())
    assert blocking.ask(bad, 5000) == ("S", "block/phishing")
    assert blocking.metric('frames_total{outcome="broken_payload"}') > 100
    assert blocking.metric('frames_total{outcome="broken_message"}') > 100
    tap.close()


def test_nothing_of_a_client_is_logged(blocking: SidecarProcess) -> None:
    """Neither names that were asked nor addresses."""
    bad = fresh_bad_name()
    blocking.ask(bad, 5000)
    TapSender(blocking.tap_path).close()
    httpx.get(f"http://{HOST}:{blocking.http_port}/metrics")
    blocking.stop()
    assert bad not in blocking.log()
    assert "11.22.33" not in blocking.log()
    for line in blocking.log().splitlines():
        json.loads(line)


def test_a_second_one_and_a_dead_ones_socket(blocking: SidecarProcess, tmp_path: Path) -> None:
    """A socket in use is refused with one line; one that a killed process left is taken over."""
    with pytest.raises(AssertionError, match="another process listens there"):
        SidecarProcess(tmp_path, "127.0.0.1:9")
    blocking.process.kill()
    blocking.process.wait()
    assert blocking.tap_path.exists()
    with sidecar(tmp_path, "127.0.0.1:9"):
        TapSender(tmp_path / "tap.sock").close()


def test_it_stops_quickly_and_cleanly(blocking: SidecarProcess) -> None:
    """SIGTERM ends it with 0; sockets are gone."""
    blocking.signal(signal.SIGTERM)
    assert blocking.process.wait(10) == 0
    assert not blocking.tap_path.exists()
