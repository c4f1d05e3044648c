"""An answer is right when a healthy system would have given it while it was under way, and only then."""

from __future__ import annotations

import pytest

from tests.chaos.outcomes import Outcome
from tests.chaos.samples import outcome, row, world
from tests.chaos.worlds import is_right


@pytest.mark.parametrize(
    "answer",
    [
        outcome(),
        outcome(rows=[row(0.5 + 5e-7)]),
        outcome(names=["b.example", "a.example"], rows=[row(0.25), row(0.5)]),
    ],
)
def test_the_names_own_scores_are_right(answer: Outcome) -> None:
    """Alone, joined with others, and within float sums."""
    assert is_right(answer, [world()])


@pytest.mark.parametrize(
    "answer",
    [
        outcome(rows=[row(0.50001)]),
        outcome(rows=[row(neighbours=4)]),
        outcome(rows=[(0.5, 0.5, (0.5, 0.0, 0.0, 0.5), "benign", "block", 3, "ok")]),
        outcome(rows=[(0.5, 0.5, (0.5, 0.1, 0.0, 0.5), "benign", "allow", 3, "ok")]),
        outcome(rows=[row(float("nan"))]),
        outcome(rows=[]),
        outcome(rows=[row(), row()]),
        outcome(names=["a.example", "b.example"], rows=[row(0.25), row(0.5)]),
        outcome(version="2"),
    ],
)
def test_anything_else_is_wrong(answer: Outcome) -> None:
    """Another score, action, evidence or version, the scores of another name, too few or too many."""
    assert not is_right(answer, [world()])


def test_answers_of_two_worlds_do_not_mix() -> None:
    """One request is answered by one snapshot and one model, whole."""
    worlds = [world(), world(risk=0.9)]
    names = ["a.example", "b.example"]
    assert is_right(outcome(names=names, rows=[row(0.9), row(0.45)]), worlds)
    assert not is_right(outcome(names=names, rows=[row(0.9), row(0.25)]), worlds)


def test_what_was_right_before_is_wrong_later() -> None:
    """Requests of the time of a swap may have either answer, later ones only the new, earlier ones only the old."""
    old, new = world(ended_s=20.0), world("2", 0.9, began_s=15.0)
    of_old, of_new = {"rows": [row()]}, {"rows": [row(0.9)], "version": "2"}
    for asked_s, old_right, new_right in ((10.0, True, False), (17.0, True, True), (21.0, False, True)):
        times = {"asked_s": asked_s, "answered_s": asked_s + 0.5}
        assert is_right(outcome(**of_old, **times), [old, new]) is old_right
        assert is_right(outcome(**of_new, **times), [old, new]) is new_right
    assert is_right(outcome(**of_old, asked_s=19.9, answered_s=20.5), [old, new])
