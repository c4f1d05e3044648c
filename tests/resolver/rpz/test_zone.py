"""The zone's content and serials, and what it remembers for those who come back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.rpz.journal import Journal
from resolver.rpz.zone import Zone, following

STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "commit"]), st.sampled_from("abcdef")), max_size=30
)


def played(zone: Zone, steps: list[tuple[str, str]]) -> None:
    """Let some things happen to it."""
    for what, name in steps:
        if what == "put":
            zone.put(name, 1000)
        elif what == "drop":
            zone.drop(name)
        elif zone.changed:
            zone.commit()


@given(STEPS, STEPS)
def test_differences_lead_from_any_serial_to_the_next(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    """Who has the names of a serial and follows its changes has the names of now."""
    zone = Zone(10)
    played(zone, before)
    serial, names = zone.serial, set(zone.names)
    played(zone, after)
    changes = zone.since(serial)
    assert changes is not None
    for change in changes:
        assert set(change.removed) <= names
        assert not set(change.added) & names
        names = names - set(change.removed) | set(change.added)
    assert names == set(zone.names)


def test_names_expire_and_renewing_is_no_change() -> None:
    """A name that is scored again stays longer, and nobody has to transfer anything."""
    zone = Zone(10)
    zone.put("a", 100)
    zone.put("b", 100)
    zone.commit()
    zone.put("a", 200)
    assert not zone.changed
    zone.drop_expired(150.0)
    assert zone.commit().removed == ("b",)
    assert zone.names == {"a": 200}


@given(STEPS, STEPS, STEPS)
def test_what_happens_while_a_change_is_kept_is_in_the_next(
    before: list[tuple[str, str]], meanwhile: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    """Names that come and go between the beginning of a change and its end are neither lost nor doubled."""
    slow, quick = Zone(10), Zone(10)
    for zone in (slow, quick):
        played(zone, before)
    wanted = [step for step in meanwhile if step[0] != "commit"]
    change = slow.begin()
    played(slow, wanted)
    slow.finish(change)
    quick.commit()
    played(quick, wanted)
    for zone in (slow, quick):
        assert not set(zone.commit().added) & set(change.added)
        played(zone, after)
        zone.commit()
    assert slow.names == quick.names


def test_names_beyond_the_limit_are_left_out() -> None:
    """And counted."""
    zone = Zone(2)
    for name in "abc":
        zone.put(name, 100)
    zone.commit()
    zone.put("d", 100)
    assert (set(zone.names), zone.shed) == ({"a", "b"}, 2)


def test_a_change_under_way_counts_towards_the_limit() -> None:
    """Names that come while it is written to disk find the room that it leaves."""
    zone = Zone(2)
    zone.put("a", 100)
    change = zone.begin()
    zone.put("b", 100)
    zone.put("c", 100)
    zone.finish(change)
    zone.commit()
    assert (set(zone.names), zone.shed) == ({"a", "b"}, 1)


def test_a_serial_that_is_forgotten_has_no_difference() -> None:
    """Nor has one that never was; the present one has an empty one."""
    zone = Zone(100_000)
    first = zone.serial
    for number in range(21_000):
        zone.put(f"n{number}", 100)
        if number % 1000 == 0:
            zone.commit()
    assert zone.since(first) is None
    assert zone.since(10**9) is None
    assert zone.since(zone.serial) == []


def test_serials_go_round_without_nought() -> None:
    """After 2^32 - 1 comes 1 (RFC 1982)."""
    assert [following(serial) for serial in (0, 5, 2**32 - 2, 2**32 - 1)] == [1, 6, 2**32 - 1, 1]


def test_a_journal_without_a_folder_keeps_nothing() -> None:
    """And begins at a serial that is later than any lost one in all likelihood: the time."""
    zone = Journal(None).load(10)
    zone.put("a", 100)
    Journal(None).append(zone.commit())
    assert zone.serial > 1_700_000_000
