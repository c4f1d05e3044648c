"""Real resolvers beside a real sidecar: bad names are blocked, good ones never suffer, whatever fails."""

from __future__ import annotations

import csv
import gzip
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dns.edns
import dns.exception
import dns.message
import dns.rcode
import dns.rrset
import pytest

from inference_services.processes import free_ports
from load_tests.bench_resolver.configurations import ALONE
from load_tests.bench_resolver.resolvers import ADDRESS, Resolver, missing, resolver
from load_tests.bench_resolver.sidecar_process import SidecarProcess
from load_tests.waiting import poll
from tests.resolver.bad_names import GOOD, fresh_bad_name
from tests.serving.server_process import HOST, ServerProcess

pytestmark = pytest.mark.slow

SAMPLE_LOG = Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "data" / "dns_traffic_sample.csv.gz"
BY_ZONE = pytest.mark.parametrize("real", ["unbound", "bind", "powerdns"], indirect=True)
BY_PLUGIN = pytest.mark.parametrize("real", ["unbound", "powerdns", "knot"], indirect=True)
ALL = pytest.mark.parametrize("real", ["unbound", "bind", "powerdns", "knot"], indirect=True)
BLOCKED = 15


def blocked(real: Resolver, name: str) -> bool:
    """Whether a name does not exist any more."""
    return real.rcode(name) == "NXDOMAIN"


@contextmanager
def asked_all_the_time(real: Resolver, tries: int = 1) -> Iterator[list[str]]:
    """Good names, one after the other, meanwhile; what did not come as it should."""
    wrong: list[str] = []
    stopped = threading.Event()

    def ask() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            name = f"n{number}.{GOOD}" if number % 2 else GOOD
            try:
                answer = real.ask(name, tries=tries)
                addresses = [rdata.address for rrset in answer.answer for rdata in rrset]
                if addresses != [ADDRESS]:
                    wrong.append(f"{name}: {answer.rcode()} {addresses}")
            except (dns.exception.DNSException, OSError) as error:
                wrong.append(f"{name}: {error!r}")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield wrong
    finally:
        stopped.set()
        thread.join()


@ALL
def test_a_bad_name_is_blocked_and_others_are_not(real: Resolver) -> None:
    """What was answered once does not exist soon after; good and allowed names always do."""
    bad, ours = fresh_bad_name(), fresh_bad_name().replace(".tk", ".ours.tk")
    assert real.rcode(ours) == "NOERROR"
    assert real.rcode(bad) == "NOERROR" or blocked(real, bad)
    poll(lambda: blocked(real, bad), limit_s=15)
    assert real.rcode(ours) == real.rcode(GOOD) == "NOERROR"


@BY_PLUGIN
def test_users_see_why(real: Resolver) -> None:
    """An extended error "Blocked" with our name stands beside the answer; nothing beside a good one's."""
    bad = fresh_bad_name()
    real.ask(bad)
    poll(
        lambda: (
            blocked(real, bad)
            and any(code == BLOCKED and "dns-risk" in text for code, text in real.told(bad))
        ),
        limit_s=15,
    )
    assert real.told(GOOD) == []


@contextmanager
def slow_authority(delay_s: float) -> Iterator[int]:
    """The port of an authority as far away as most are, which knows every address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HOST, 0))
        server.settimeout(0.1)
        stopped = threading.Event()

        def serve() -> None:
            while not stopped.is_set():
                with suppress(TimeoutError):
                    wire, client = server.recvfrom(4096)
                    answer = dns.message.make_response(dns.message.from_wire(wire))
                    answer.answer.append(dns.rrset.from_text(answer.question[0].name, 60, "IN", "A", ADDRESS))
                    threading.Timer(delay_s, server.sendto, (answer.to_wire(), client)).start()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stopped.set()
            thread.join()
            # Answers that are on their way still.
            time.sleep(2 * delay_s)


@pytest.mark.parametrize("kind", ["unbound", "powerdns"])
def test_a_first_answer_is_blocked_where_the_score_is_there_in_time(
    kind: str, beside: SidecarProcess, tmp_path: Path
) -> None:
    """While the name is resolved far away the plugin learns of it: it never existed, with the reason beside."""
    if missing(kind):
        pytest.skip(f"not installed: {missing(kind)}")
    bad = [fresh_bad_name() for _ in range(5)]
    for name in bad:
        beside.ask(name, 5000)
    # A zone that nobody serves: only the plugin can block.
    nowhere = free_ports(1)[0]
    with (
        slow_authority(0.1) as upstream,
        resolver(kind, tmp_path / kind, upstream, beside.tap_path, nowhere, beside.datagram_port) as process,
    ):
        for name in bad:
            answer = process.ask(name)
            assert (answer.rcode(), answer.answer) == (dns.rcode.NXDOMAIN, [])
            [told] = [o for o in answer.options if isinstance(o, dns.edns.EDEOption)]
            assert (int(told.code), "dns-risk block/phishing" in (told.text or "")) == (BLOCKED, True)
        assert process.rcode(GOOD) == "NOERROR"


@pytest.mark.parametrize("real", ["unbound"], indirect=True)
def test_programs_see_the_score(real: Resolver) -> None:
    """In an EDNS option of its own: thousandths, action and category."""
    bad = fresh_bad_name()
    real.ask(bad)
    poll(lambda: any(int(option.otype) == 65001 for option in real.ask(bad).options), limit_s=15)
    [option] = [option for option in real.ask(bad).options if int(option.otype) == 65001]
    score, reason = option.to_wire().decode().split(" ")
    assert 900 <= int(score) <= 1000
    assert reason == "block/phishing"


@ALL
def test_a_sidecar_that_hangs_dies_or_starts_costs_nobody_an_answer(
    real: Resolver, beside: SidecarProcess
) -> None:
    """Names resolve all the while, and bad ones are blocked again afterwards."""
    with asked_all_the_time(real) as wrong:
        beside.signal(signal.SIGSTOP)
        hung = fresh_bad_name()
        assert real.rcode(hung) == "NOERROR"
        beside.signal(signal.SIGCONT)
        beside.process.kill()
        beside.process.wait()
        assert real.rcode(fresh_bad_name()) == "NOERROR"
        beside.start()
        bad = fresh_bad_name()
        poll(lambda: blocked(real, bad), limit_s=30)
    assert wrong == []


@ALL
def test_a_transformer_that_hangs_costs_nobody_an_answer(real: Resolver, scoring: ServerProcess) -> None:
    """Names resolve all the while; what was asked meanwhile is blocked once there are scores again."""
    bad = fresh_bad_name()
    with asked_all_the_time(real) as wrong:
        scoring.signal(signal.SIGSTOP)
        try:
            for _ in range(20):
                assert real.rcode(bad) == "NOERROR"
        finally:
            scoring.signal(signal.SIGCONT)
        poll(lambda: blocked(real, bad), limit_s=30)
    assert wrong == []


@pytest.mark.parametrize("real", ["unbound", "bind", "powerdns"], indirect=True)
def test_twenty_reloads_cost_nobody_an_answer(real: Resolver) -> None:
    """Plugins, zone and stream survive them.

    Unbound closes its own socket in a reload, with us or without: clients ask again, as all of them do.
    """
    with asked_all_the_time(real, tries=3) as wrong:
        for _ in range(20):
            real.reload()
            assert real.rcode(GOOD, tries=3) == "NOERROR"
    assert real.process.poll() is None
    assert wrong == []
    bad = fresh_bad_name()
    poll(lambda: blocked(real, bad), limit_s=30)


@pytest.mark.skipif(
    not SAMPLE_LOG.exists(), reason="needs the query log in the shared data (DNS_RISK_SHARED)"
)
@ALL
def test_real_traffic_is_answered_as_without_us(
    real: Resolver, beside: SidecarProcess, upstream: int, tmp_path: Path
) -> None:
    """Every name of the sample that is not blocked has the answer of the same resolver alone."""
    with gzip.open(SAMPLE_LOG, "rt") as rows:
        asked = {
            (row["query"], row["qtype"]) for row in csv.DictReader(rows) if row["qtype"] in ("A", "AAAA")
        }
    places = (upstream, beside.tap_path, beside.rpz_port, beside.datagram_port)
    with resolver(real.kind, tmp_path / "alone", *places, joined=ALONE) as alone:
        different = [
            (name, kind)
            for name, kind in sorted(asked)[::4]
            if (answer := answered(real, name, kind)) != answered(alone, name, kind)
            and answer != ("NXDOMAIN", [])
        ]
    assert different == []
    in_zone = beside.names()
    assert not {name for name, _ in asked if name.endswith("google.com")} & in_zone


def answered(real: Resolver, name: str, kind: str) -> tuple[str, list[str]]:
    """Code and addresses."""
    answer = real.ask(name, kind)
    return dns.rcode.to_text(answer.rcode()), sorted(str(rdata) for rrset in answer.answer for rdata in rrset)
