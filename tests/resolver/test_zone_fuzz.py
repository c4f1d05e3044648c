"""No sequence of frames, datagrams, restarts and full disks makes a zone that others do not transfer.

Here in one process, read by dnspython; tests/resolver/real has NSD, BIND and Unbound read the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import dns.zone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.blockable import why_never_blocked
from resolver.frame_streams import CONTENT_TYPE, START, control, frame
from resolver.score_cache import Scored
from resolver.settings import Settings
from resolver.sidecar import Sidecar
from resolver.wire_names import from_text, is_at_or_below, joined, to_text
from tests.resolver.hostile_names import LABELS, TEXTS, dnstap_of, question
from tests.resolver.rpz.test_journal import files_of_at_most, later

BAD = Scored(0.999, "block", "phishing", 0.999)
ZONE = "rpz.risk"
ORIGIN = dns.name.from_text(ZONE)
ALLOWED = ("ours.tk", "duckdns.org", "verif\\121888.tk")

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tap"), LABELS),
        st.tuples(st.just("ask"), TEXTS),
        st.tuples(st.just("ask"), st.integers(0, 30).map(lambda number: question(f"evil{number}.tk"))),
        st.tuples(st.just("garbage"), st.binary(max_size=60)),
        st.tuples(st.sampled_from(["restart", "full disk", "room", "good again", "mode"]), st.none()),
    ),
    max_size=14,
)


class Nowhere(asyncio.DatagramTransport):
    """Where answers to datagrams go."""

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Nobody reads them."""


class House:
    """A sidecar and the folder it keeps its state in; what it was ever seen to serve, by serial."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "allow.txt").write_text("".join(f"{name}\n" for name in ALLOWED))
        self.mode = "block"
        self.room = 1 << 30
        self.served: dict[int, frozenset[tuple[str, str]]] = {}
        self.latest: int | None = None
        self.start()

    def start(self) -> None:
        """Begin a process."""
        allow = self.folder / "allow.txt"
        self.sidecar = Sidecar(Settings(mode=self.mode, state_dir=self.folder, allowlist_file=allow))

    async def play(self, what: str, given: Any) -> None:
        """Let one thing happen, have all that waits scored as bad, and publish."""
        if what == "restart":
            self.start()
        elif what in ("full disk", "room"):
            self.room = (self.folder / "rpz.journal").stat().st_size + 5 if what == "full disk" else 1 << 30
        elif what == "mode":
            self.mode = "log" if self.mode == "block" else "block"
            self.start()
        elif what == "ask":
            self.sidecar.questions.ask(Nowhere(), given, ("", 1))
        elif what in ("tap", "garbage"):
            self.hear(dnstap_of(given) if what == "tap" else given)
        waiting = self.sidecar.pending.take(1000)
        verdict = Scored(0.0, "allow", "benign") if what == "good again" else BAD
        names = waiting or dict.fromkeys(self.sidecar.publisher.names()[:1] if what == "good again" else ())
        self.sidecar.on_scored(dict.fromkeys(names, verdict))
        await self.sidecar.publisher.publish()

    def hear(self, payload: bytes) -> None:
        """A frame of a resolver."""
        stream = self.sidecar.tap.stream()
        stream.connection_made(_Transport())
        stream.data_received(control(START, CONTENT_TYPE) + frame(payload or b"x"))
        stream.connection_lost(None)

    def transferred(self, serial: int | None = None) -> list[Any]:
        """The records of a transfer as dnspython reads them: whole, or what changed since a serial."""
        query = dns.message.make_query(ORIGIN, "AXFR" if serial is None else "IXFR")
        if serial is not None:
            soa = f"localhost. hostmaster. {serial} 0 0 0 0"
            query.authority.append(dns.rrset.from_text(ORIGIN, 60, "IN", "SOA", soa))
        messages = self.sidecar.publisher.primary.answers(query.to_wire(), stream=True)
        return [
            rrset for wire in messages for rrset in dns.message.from_wire(wire, one_rr_per_rrset=True).answer
        ]

    def check(self) -> None:
        """What is served is in the closed set, and leads from every serial that was ever served to this one."""
        records = self.transferred()
        serial = records[0][0].serial
        now = frozenset((str(r.name.relativize(ORIGIN)), str(r[0])) for r in _rules(records))
        assert self.served.setdefault(serial, now) == now
        assert self.latest in (None, serial) or later(serial, self.latest or 0)
        self.latest = serial
        for record in _rules(records):
            self._check_rule(record)
        for before, known in self.served.items():
            assert _followed(known, self.transferred(before), serial) == now

    def _check_rule(self, record: dns.rrset.RRset) -> None:
        labels = record.name.relativize(ORIGIN).labels
        owner = joined(labels)
        allowed = any(is_at_or_below(owner, from_text(name)) for name in ALLOWED)
        if str(record[0]) == "." or not allowed:
            assert not allowed
            assert not why_never_blocked(to_text(owner))
        assert str(record[0]) in (".", "rpz-passthru.")


class _Transport(asyncio.Transport):
    def write(self, data: Any) -> None:
        """Nobody reads the handshake."""

    def close(self) -> None:
        """Nobody is there."""


def _rules(records: list[Any]) -> Iterator[dns.rrset.RRset]:
    return (record for record in records if record.rdtype == dns.rdatatype.CNAME)


def _followed(
    known: frozenset[tuple[str, str]], records: list[Any], serial: int
) -> frozenset[tuple[str, str]]:
    """What a secondary has that holds these rules and is sent these records (RFC 1995)."""
    assert records[0][0].serial == serial
    if len(records) == 1:
        return known
    if records[1].rdtype != dns.rdatatype.SOA:
        return frozenset((str(r.name.relativize(ORIGIN)), str(r[0])) for r in _rules(records))
    adding = True
    for record in records[1:-1]:
        if record.rdtype == dns.rdatatype.SOA:
            adding = not adding
            continue
        rule = frozenset([(str(record.name.relativize(ORIGIN)), str(record[0]))])
        assert adding != (rule <= known)
        known = known | rule if adding else known - rule
    return known


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_whatever_comes_the_zone_is_whole_and_its_owners_are_legal(steps: list[tuple[str, Any]]) -> None:
    """With serials that are never used twice, and differences that lead from each to the next."""

    async def play(house: House) -> None:
        for what, given_ in steps:
            with files_of_at_most(house.room):
                await house.play(what, given_)
            house.check()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(House(Path(folder))))
