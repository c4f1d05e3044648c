"""Changes of the zone on their way to a disk that is slow, full, or not there."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from resolver.__main__ import end
from resolver.observations import CNAME, Observation, Record
from resolver.rpz.journal import Journal
from resolver.rpz.zone import Change
from resolver.score_cache import Scored
from resolver.settings import Settings
from resolver.sidecar import Sidecar
from resolver.wire_names import from_text
from tests.resolver.rpz.rules import bad, names
from tests.resolver.rpz.test_journal import files_of_at_most, later

FAR_S = 2**40


class SlowDisk(Journal):
    """A journal whose disk waits for its turn."""

    turn = threading.Event()

    def append(self, change: Change) -> bool:
        self.turn.wait(20)
        return super().append(change)


async def test_a_change_under_way_is_finished_before_the_last_one(tmp_path: Path) -> None:
    """Stopped meanwhile, it keeps its serial, and what came after it has the next: in order on disk, and served."""
    sidecar = Sidecar(Settings(mode="block", state_dir=tmp_path))
    publisher, zone = sidecar.publisher, sidecar.publisher.zone
    publisher.journal = SlowDisk(tmp_path)
    publisher.put(from_text("first.tk"), FAR_S)
    before = zone.serial
    work = asyncio.create_task(sidecar.run())
    while zone.changed:
        await asyncio.sleep(0.01)
    publisher.put(from_text("second.tk"), FAR_S)
    ending = asyncio.create_task(end(sidecar, work))
    await asyncio.sleep(0.1)
    assert not ending.done()
    assert not zone.rules
    SlowDisk.turn.set()
    await asyncio.wait_for(ending, 10)
    assert set(names(zone.rules)) == {"first.tk", "second.tk"}
    assert zone.serial == before + 2
    again = Journal(tmp_path).load(10)
    assert (again.rules, again.serial) == (zone.rules, zone.serial)
    first, second = again.since(before) or []
    assert (names(first.added), names(second.added)) == (["first.tk"], ["second.tk"])


async def test_a_full_disk_stops_no_change_and_room_mends_it(tmp_path: Path) -> None:
    """Served all the same; with room again all of it is kept; and a restart before that takes a serial far beyond."""
    publisher = Sidecar(Settings(mode="block", state_dir=tmp_path)).publisher
    publisher.put(from_text("first.tk"), FAR_S)
    with files_of_at_most(50):
        await publisher.publish()
        assert publisher.zone.rules == {bad("first.tk"): FAR_S}
        assert publisher.journal.lost
        publisher.drop(from_text("first.tk"))
        publisher.put(from_text("second.tk"), FAR_S)
        await publisher.publish()
        assert publisher.zone.rules == {bad("second.tk"): FAR_S}
        restarted = Sidecar(Settings(mode="block", state_dir=tmp_path)).publisher
        assert later(restarted.zone.serial, publisher.zone.serial + 100_000)
        again = Sidecar(Settings(mode="block", state_dir=tmp_path)).publisher
        assert later(again.zone.serial, restarted.zone.serial + 100_000)
    again.put(from_text("third.tk"), FAR_S)
    await again.publish()
    assert not again.journal.lost
    assert Journal(tmp_path).load(10).rules == {bad("third.tk"): FAR_S}


async def test_where_nothing_can_be_written_nothing_new_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zone stays as it was; what gathers is served, with what came since, when the disk is back."""
    publisher = Sidecar(Settings(mode="block", state_dir=tmp_path)).publisher
    publisher.put(from_text("first.tk"), FAR_S)
    await publisher.publish()
    serial = publisher.zone.serial
    folder = tmp_path.with_name(tmp_path.name + "x")
    tmp_path.rename(folder)  # noqa: ASYNC240 - a test may wait for its disk
    publisher.put(from_text("second.tk"), FAR_S)
    publisher.drop(from_text("first.tk"))
    await publisher.publish()
    assert (publisher.zone.rules, publisher.zone.serial) == ({bad("first.tk"): FAR_S}, serial)
    publisher.put(from_text("third.tk"), FAR_S)
    folder.rename(tmp_path)
    monkeypatch.setattr(publisher, "_serve_again_s", 0.0)
    await publisher.publish()
    assert set(names(publisher.zone.rules)) == {"second.tk", "third.tk"}
    assert set(names(Journal(tmp_path).load(10).rules)) == {"second.tk", "third.tk"}


async def test_another_mode_serves_the_same_names_in_its_own_way(tmp_path: Path) -> None:
    """As changes of the zone with serials, so that secondaries hear of it; the operator's names only where it blocks."""
    allow = tmp_path / "allow.txt"
    allow.write_text("ours.tk\n")
    options = {"state_dir": tmp_path, "allowlist_file": allow}
    blocking = Sidecar(Settings(mode="block", **options)).publisher
    blocking.put(from_text("evil.tk"), FAR_S)
    await blocking.publish()
    shown = {str(rule.owner): rule.target for rule in blocking.zone.rules}
    assert len(shown) == 3
    logging = Sidecar(Settings(mode="log", **options)).publisher
    await logging.publish()
    assert logging.zone.serial == blocking.zone.serial + 1
    [rule] = logging.zone.rules
    assert (rule.owner, rule.target) == (from_text("evil.tk"), b"\x0crpz-passthru\x00")
    monitoring = Sidecar(Settings(mode="monitor", **options)).publisher
    await monitoring.publish()
    assert not monitoring.zone.rules


async def test_aliases_of_listed_names_are_let_go_link_by_link(tmp_path: Path) -> None:
    """In whichever frames a chain is told, also from a listed name in its middle on; others stay blocked."""
    sidecar = Sidecar(Settings(mode="block", state_dir=tmp_path))
    publisher = sidecar.publisher

    def saw(name: str, *chain: str) -> None:
        links = [from_text(link) for link in (name, *chain)]
        records = tuple(Record(owner, CNAME, target) for owner, target in pairwise(links))
        sidecar.on_observations([Observation(links[0], 1, 0, 1, records)])

    for bad_name in ("glb.cdn-one.net", "edge.cdn-two.org", "b.cdn-three.org", "evil.tk"):
        publisher.put(from_text(bad_name), FAR_S)
    await publisher.publish()
    saw("www.paypal.com", "glb.cdn-one.net")
    saw("glb.cdn-one.net", "edge.cdn-two.org")
    saw("shop.somebody.se", "www.paypal.com", "b.cdn-three.org")
    saw("other.somebody.se", "evil.tk")
    await publisher.publish()
    assert names(publisher.zone.rules) == ["evil.tk"]


async def test_a_bad_name_that_is_seen_again_is_blocked_again(tmp_path: Path) -> None:
    """Its score is remembered longer than its place in the zone, or it found no room before."""
    sidecar = Sidecar(Settings(mode="block", state_dir=tmp_path, max_blocked=1))
    bad_score = Scored(0.999, "block", "phishing", 0.999)
    sidecar.on_scored({from_text("evil.tk"): bad_score, from_text("worse.tk"): bad_score})
    assert list(sidecar.publisher.zone.to_come()) == [bad("evil.tk")]
    sidecar.publisher.drop(from_text("evil.tk"))
    sidecar.on_observations([Observation(from_text("worse.tk"), 1, 0, 1, ())])
    assert list(sidecar.publisher.zone.to_come()) == [bad("worse.tk")]


async def test_names_below_a_listed_one_are_no_nodes_of_their_own(tmp_path: Path) -> None:
    """A node below would end the wildcard for what is beside it (RFC 4592)."""
    allow = tmp_path / "allow.txt"
    allow.write_text("good.tk\na.b.good.tk\n")
    publisher = Sidecar(Settings(mode="block", state_dir=tmp_path, allowlist_file=allow)).publisher
    await publisher.publish()
    assert {rule.owner for rule in publisher.zone.rules} == {
        from_text("good.tk"),
        b"\x01*" + from_text("good.tk"),
    }
