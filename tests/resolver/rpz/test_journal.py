"""Names and serials outlive the process, however it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from resolver.rpz.journal import Journal, UnusableJournal
from resolver.rpz.zone import Zone


def grown(folder: Path, names: str) -> Zone:
    """A zone that took in names one by one, and lost the first again."""
    journal = Journal(folder)
    zone = journal.load(1000)
    for name in names:
        zone.put(name, 1000)
        journal.append(zone.commit())
    zone.drop(names[0])
    journal.append(zone.commit())
    return zone


def test_a_zone_comes_back_as_it_was(tmp_path: Path) -> None:
    """With its serial, and with the next one after that."""
    zone = grown(tmp_path, "abc")
    again = Journal(tmp_path).load(1000)
    assert (again.names, again.serial) == (zone.names, zone.serial)
    third = grown(tmp_path, "xy")
    assert third.serial == zone.serial + 3


def test_a_change_that_was_cut_short_was_never_made(tmp_path: Path) -> None:
    """The process was killed while it wrote its last line."""
    zone = grown(tmp_path, "abc")
    path = tmp_path / "rpz.journal"
    path.write_bytes(path.read_bytes()[:-9])
    again = Journal(tmp_path).load(1000)
    assert again.serial == zone.serial - 1
    assert set(again.names) == {"a", "b", "c"}


def test_other_damage_is_refused(tmp_path: Path) -> None:
    """A line in the middle that is none of ours is not read past: names would be missing."""
    grown(tmp_path, "abc")
    path = tmp_path / "rpz.journal"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b"{}", *lines[1:]]))
    with pytest.raises(UnusableJournal, match=r"rpz\.journal, line 2"):
        Journal(tmp_path).load(1000)


def test_it_does_not_grow_without_end(tmp_path: Path) -> None:
    """After many changes it is written anew, and holds the same."""
    journal = Journal(tmp_path)
    zone = journal.load(100_000)
    for turn in range(30):
        for number in range(1000):
            zone.put(f"n{number}", 1000)
            if turn % 2:
                zone.drop(f"n{number}")
        if zone.changed:
            journal.append(zone.commit())
        if journal.overgrown(zone):
            journal.rewrite(zone)
    assert (tmp_path / "rpz.journal").stat().st_size < 700_000
    again = Journal(tmp_path).load(100_000)
    assert (again.names, again.serial) == (zone.names, zone.serial)
