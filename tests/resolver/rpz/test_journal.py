"""Rules and serials outlive the process, however it ended and whatever its disk did."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.rpz.journal import Journal, UnusableJournal
from resolver.rpz.rules import PASSTHRU, WILDCARD, Rule
from resolver.rpz.zone import FOREVER, Zone
from resolver.wire_names import from_text
from tests.resolver.rpz.rules import bad, names

FILE = "rpz.journal"


def grown(folder: Path, letters: str) -> Zone:
    """A zone that took in names one by one, and lost the first again."""
    journal = Journal(folder)
    zone = journal.load(1000)
    for letter in letters:
        zone.put(bad(letter), 1000)
        assert journal.append(zone.commit())
    zone.drop(bad(letters[0]))
    assert journal.append(zone.commit())
    return zone


@contextmanager
def files_of_at_most(octets: int) -> Iterator[None]:
    """No file of this process may grow beyond: writes are cut short there, as on a disk without room."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def later(serial: int, before: int) -> bool:
    """By the arithmetic of RFC 1982."""
    return 0 < (serial - before) % 2**32 < 2**31


def test_a_zone_comes_back_as_it_was(tmp_path: Path) -> None:
    """With its serial, and with the next one after that."""
    zone = grown(tmp_path, "abc")
    again = Journal(tmp_path).load(1000)
    assert (again.rules, again.serial) == (zone.rules, zone.serial)
    third = grown(tmp_path, "xy")
    assert third.serial == zone.serial + 3


def test_what_a_journal_begins_with_is_no_difference(tmp_path: Path) -> None:
    """After two restarts whoever has the serial is told what is new, and not all that it has already."""
    grown(tmp_path, "abc")
    Journal(tmp_path).load(1000)
    journal = Journal(tmp_path)
    zone = journal.load(1000)
    serial = zone.serial
    zone.put(bad("new"), 1000)
    zone.commit()
    [change] = zone.since(serial) or []
    assert names(change.added) == ["new"]


def test_every_kind_of_rule_and_name_is_kept(tmp_path: Path) -> None:
    """Those that let pass, wildcards before a name, odd octets, and times without end."""
    journal = Journal(tmp_path)
    zone = journal.load(10)
    name = from_text("a\\046b.\\000\\255.example")
    zone.pin([Rule(name, PASSTHRU), Rule(WILDCARD + name, PASSTHRU)])
    zone.put(bad("a\\046b.tk"), 7)
    journal.append(zone.commit())
    again = Journal(tmp_path).load(10)
    assert again.rules == zone.rules
    assert sorted(again.rules.values()) == [7, FOREVER, FOREVER]


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_change_that_was_cut_short_was_never_made(tmp_path: Path, cut: int) -> None:
    """The process was killed while it wrote its last line; the next one goes on behind what is whole."""
    zone = grown(tmp_path, "abc")
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-cut])
    again = Journal(tmp_path).load(1000)
    assert again.serial == zone.serial - 1
    assert names(again.rules) == ["a", "b", "c"]
    assert grown(tmp_path, "x").serial == zone.serial + 1
    assert names(Journal(tmp_path).load(1000).rules) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "content", [b"", b"garbage\n", b"\0" * 100, b'{"before": 1}\n', b"\xff\xfe", b"\n", b"[" * 200_000]
)
def test_what_is_no_journal_stops_nobody(tmp_path: Path, content: bytes) -> None:
    """The zone begins empty, at a serial that nobody was served, and what was there can be looked at."""
    (tmp_path / FILE).write_bytes(content)
    zone = Journal(tmp_path).load(1000)
    assert not zone.rules
    assert later(zone.serial, 1_700_000_000)
    assert zone.since(zone.serial - 1) is None
    assert grown(tmp_path, "ab").serial == zone.serial + 3


def test_a_whole_line_that_is_wrong_was_served(tmp_path: Path) -> None:
    """Also where it is the last one: its serial is not used again, and a copy is left to look at."""
    zone = grown(tmp_path, "abc")
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(bytes(content))
    again = Journal(tmp_path).load(1000)
    assert later(again.serial, zone.serial)
    assert again.since(zone.serial) is None
    assert path.with_suffix(".damaged").exists()


@settings(max_examples=60)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_damage_costs_what_follows_it_and_never_a_serial(place: int, octets: bytes) -> None:
    """Some octets are others than they were: what is whole before them stays, and everybody transfers anew."""
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"journal-{os.getpid()}"  # noqa: S108 - hypothesis has no fixtures
    folder.mkdir(exist_ok=True)
    try:
        zone = grown(folder, "abcd")
        path = folder / FILE
        content = bytearray(path.read_bytes())
        place = min(place, len(content) - len(octets))
        changed = bytes(content[:place]) + octets + bytes(content[place + len(octets) :])
        path.write_bytes(changed)
        again = Journal(folder).load(1000)
        assert set(names(again.rules)) <= set("abcd")
        if changed != bytes(content) and again.serial not in (zone.serial, zone.serial - 1):
            assert later(again.serial, zone.serial + 100_000)
            assert again.since(zone.serial) is None
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def test_half_an_append_is_taken_back(tmp_path: Path) -> None:
    """A disk that is full in the middle of a line: the file ends where it ended, and says that it lost something."""
    journal = Journal(tmp_path)
    zone = journal.load(1000)
    zone.put(bad("kept.tk"), 1000)
    assert journal.append(zone.commit())
    size = (tmp_path / FILE).stat().st_size
    zone.put(bad("lost.tk"), 1000)
    with files_of_at_most(size + 20):
        assert not journal.append(zone.commit())
    assert (tmp_path / FILE).stat().st_size == size
    assert journal.lost
    again = Journal(tmp_path).load(1000)
    assert names(again.rules) == ["kept.tk"]
    assert later(again.serial, zone.serial + 100_000)


def test_with_room_again_all_is_kept(tmp_path: Path) -> None:
    """The journal is due to be written anew, and then holds what was served, at the serial that was served."""
    journal = Journal(tmp_path)
    zone = journal.load(1000)
    for number in range(5):
        zone.put(bad(f"n{number}.tk"), 1000)
        with files_of_at_most(400):
            journal.append(zone.commit())
    assert journal.overgrown(zone)
    with files_of_at_most(100), pytest.raises(OSError, match="too large"):
        journal.rewrite(zone)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    journal.rewrite(zone)
    assert not journal.lost
    again = Journal(tmp_path).load(1000)
    assert (again.rules, again.serial) == (zone.rules, zone.serial)


STEPS = st.lists(
    st.sampled_from(["put", "put on a full disk", "killed", "killed on a full disk", "drop"]), max_size=12
)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_no_serial_is_ever_served_for_two_zones(steps: list[str]) -> None:
    """Whatever disks and deaths come in between, who has a serial has its zone, and later ones come after it."""
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"serials-{os.getpid()}"  # noqa: S108 - hypothesis has no fixtures
    folder.mkdir(exist_ok=True)
    try:
        served: dict[int, set[str]] = {}
        journal = Journal(folder)
        zone = journal.load(1000)
        latest = zone.serial
        for number, step in enumerate(steps):
            room = (folder / FILE).stat().st_size + 3 if "full" in step else 1 << 30
            with files_of_at_most(room):
                if step.startswith("killed"):
                    journal = Journal(folder)
                    zone = journal.load(1000)
                zone.put(bad(f"n{number}.tk"), 1000)
                if step == "drop":
                    zone.drop(next(iter(zone.to_come())))
                if zone.changed:
                    journal.append(zone.commit())
            now = set(names(zone.rules))
            assert served.setdefault(zone.serial, now) == now
            assert zone.serial == latest or later(zone.serial, latest)
            latest = zone.serial
            for serial, known in served.items():
                followed = zone.since(serial)
                for change in followed or []:
                    known = known - set(names(change.removed)) | set(names(change.added))  # noqa: PLW2901
                assert followed is None or known == now
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def test_rules_that_may_not_stand_there_are_left_out_for_good(tmp_path: Path) -> None:
    """And everybody transfers the zone whole, as they may hold what broke it."""
    zone = grown(tmp_path, "abc")
    journal = Journal(tmp_path)
    again = journal.load(1000, lambda rule: "no" if rule == bad("b") else "")
    assert names(again.rules) == ["c"]
    assert journal.dropped == 1
    assert later(again.serial, zone.serial + 100_000)
    assert names(Journal(tmp_path).load(1000).rules) == ["c"]


def test_a_journal_of_the_first_version_is_read(tmp_path: Path) -> None:
    """Its names stay, but for one with two dots, which made every transfer malformed; everybody transfers whole."""
    lines = [
        {"before": 5, "serial": 5, "added": {"evil.tk": 1000, "other.tk": 1000}, "removed": []},
        {
            "before": 5,
            "serial": 6,
            "added": {"paypal-login-verify201.tk.": 1000, "x.tk..": 1000},
            "removed": ["other.tk"],
        },
    ]
    (tmp_path / FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    zone = Journal(tmp_path).load(1000)
    assert names(zone.rules) == ["evil.tk", "paypal-login-verify201.tk"]
    assert later(zone.serial, 1_000_000)
    assert zone.since(5) is None
    again = Journal(tmp_path).load(1000)
    assert (again.rules, again.serial) == (zone.rules, zone.serial)


def test_a_folder_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    """A folder in the journal's place."""
    (tmp_path / FILE).mkdir()
    with pytest.raises(UnusableJournal, match=r"rpz\.journal: Is a directory"):
        Journal(tmp_path).load(10)


def test_a_journal_that_was_taken_away_is_not_begun_in_the_middle(tmp_path: Path) -> None:
    """A change alone would be a zone of its own: nothing is served until all of it is written."""
    journal = Journal(tmp_path)
    zone = journal.load(1000)
    (tmp_path / FILE).unlink()
    zone.put(bad("a.tk"), 1000)
    with pytest.raises(FileNotFoundError):
        journal.append(zone.begin())
    assert not (tmp_path / FILE).exists()


def test_it_does_not_grow_without_end(tmp_path: Path) -> None:
    """After many changes it is written anew, and holds the same."""
    journal = Journal(tmp_path)
    zone = journal.load(100_000)
    for turn in range(30):
        for number in range(1000):
            zone.put(bad(f"n{number}"), 1000)
            if turn % 2:
                zone.drop(bad(f"n{number}"))
        if zone.changed:
            journal.append(zone.commit())
        if journal.overgrown(zone):
            journal.rewrite(zone)
    assert (tmp_path / FILE).stat().st_size < 900_000
    again = Journal(tmp_path).load(100_000)
    assert (again.rules, again.serial) == (zone.rules, zone.serial)
