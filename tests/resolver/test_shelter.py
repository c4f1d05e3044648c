"""What listed names lead to is remembered for a while, and never too much of it."""

from __future__ import annotations

from resolver.shelter import Shelter


def test_names_are_sheltered_for_their_time() -> None:
    """Seen again they stay longer; the one that was seen longest ago makes room."""
    shelter = Shelter(60.0, most=2)
    shelter.take_in([b"\1a", b"\1b"], 0.0)
    shelter.take_in([b"\1a"], 30.0)
    assert shelter.covers(b"\1b", 59.0)
    assert not shelter.covers(b"\1b", 60.0)
    assert shelter.covers(b"\1a", 80.0)
    shelter.take_in([b"\1c"], 80.0)
    assert [shelter.covers(name, 81.0) for name in (b"\1a", b"\1b", b"\1c")] == [True, False, True]
    assert len(shelter) == 2
