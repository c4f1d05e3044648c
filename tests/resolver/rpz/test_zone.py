"""The zone's content and serials, and what it remembers for those who come back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from resolver.rpz.journal import Journal
from resolver.rpz.rules import PASSTHRU, Rule
from resolver.rpz.zone import FOREVER, Zone, following
from resolver.wire_names import from_text
from tests.resolver.rpz.rules import bad, names

STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "drop", "commit"]), st.sampled_from("abcdef")), max_size=30
)


def played(zone: Zone, steps: list[tuple[str, str]]) -> None:
    """Let some things happen to it."""
    for what, name in steps:
        if what == "put":
            zone.put(bad(name), 1000)
        elif what == "drop":
            zone.drop(bad(name))
        elif zone.changed:
            zone.commit()


@given(STEPS, STEPS)
def test_differences_lead_from_any_serial_to_the_next(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    """Who has the names of a serial and follows its changes has the names of now."""
    zone = Zone(10)
    played(zone, before)
    serial, known = zone.serial, set(zone.rules)
    played(zone, after)
    changes = zone.since(serial)
    assert changes is not None
    for change in changes:
        assert set(change.removed) <= known
        assert not set(change.added) & known
        known = known - set(change.removed) | set(change.added)
    assert known == set(zone.rules)


def test_names_expire_and_renewing_is_no_change() -> None:
    """A name that is scored again stays longer, and nobody has to transfer anything."""
    zone = Zone(10)
    zone.put(bad("a"), 100)
    zone.put(bad("b"), 100)
    zone.commit()
    zone.put(bad("a"), 200)
    assert not zone.changed
    zone.drop_expired(150.0)
    assert zone.commit().removed == (bad("b"),)
    assert zone.rules == {bad("a"): 200}


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
    assert slow.rules == quick.rules


def test_names_beyond_the_limit_are_left_out() -> None:
    """And counted."""
    zone = Zone(2)
    for name in "abc":
        zone.put(bad(name), 100)
    zone.commit()
    zone.put(bad("d"), 100)
    assert (set(names(zone.rules)), zone.shed) == ({"a", "b"}, 2)


def test_a_change_under_way_counts_towards_the_limit() -> None:
    """Names that come while it is written to disk find the room that it leaves."""
    zone = Zone(2)
    zone.put(bad("a"), 100)
    change = zone.begin()
    zone.put(bad("b"), 100)
    zone.put(bad("c"), 100)
    zone.finish(change)
    zone.commit()
    assert (set(names(zone.rules)), zone.shed) == ({"a", "b"}, 1)


def test_a_serial_that_is_forgotten_has_no_difference() -> None:
    """Nor has one that never was; the present one has an empty one."""
    zone = Zone(100_000)
    first = zone.serial
    for number in range(21_000):
        zone.put(bad(f"n{number}"), 100)
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
    zone.put(bad("a"), 100)
    Journal(None).append(zone.commit())
    assert zone.serial > 1_700_000_000


@given(STEPS, STEPS, STEPS)
def test_a_change_that_is_taken_back_is_made_later(
    before: list[tuple[str, str]], begun: list[tuple[str, str]], meanwhile: list[tuple[str, str]]
) -> None:
    """A disk would not have it: nobody was served, and what was wanted before and since comes with the next one."""
    refused, plain = Zone(10), Zone(10)
    for zone in (refused, plain):
        played(zone, before)
        if zone.changed:
            zone.commit()
        played(zone, [step for step in begun if step[0] != "commit"])
    served, serial = dict(refused.rules), refused.serial
    change = refused.begin()
    wanted = [step for step in meanwhile if step[0] != "commit"]
    played(refused, wanted)
    refused.cancel(change)
    assert (refused.rules, refused.serial) == (served, serial)
    played(plain, wanted)
    assert refused.to_come() == plain.to_come()
    refused.commit()
    plain.commit()
    assert refused.rules == plain.rules


def test_pinned_rules_stand_without_time_and_beside_the_limit() -> None:
    """Until another list is pinned; scores neither move nor crowd them out."""
    ours, theirs = (Rule(from_text(name), PASSTHRU) for name in ("ours.tk", "theirs.tk"))
    zone = Zone(1)
    zone.put(bad("a"), 100)
    zone.pin([ours, theirs])
    zone.commit()
    zone.put(bad("b"), 100)
    zone.drop_expired(10.0**12)
    zone.commit()
    assert (zone.rules, zone.shed) == ({ours: FOREVER, theirs: FOREVER}, 1)
    zone.pin([theirs])
    assert zone.commit().removed == (ours,)
