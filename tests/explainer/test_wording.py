import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainer.players import Player
from explainer.verdict import BY_NEIGHBOURS, Verdict
from explainer.wording import Scored, anchor_summary, shap_summary, verdict_words

# Time limits of single examples would fail on a busy machine.
relaxed = settings(deadline=None)
MONITORED = Scored("a.test", 0.7, 0.6, Verdict("monitor", 0.5))

# Texts that the wording itself cannot hold: capital letters, dots within words as names have them.
texts = st.from_regex(r"[A-Z]{3,8}(\.[A-Z]{2,5}){0,3}", fullmatch=True)
gains = st.floats(-1, 1)
verdicts = st.one_of(
    st.builds(Verdict, st.sampled_from(["allow", "monitor", "block"]), st.floats(0, 1)),
    st.floats(0, 1).map(lambda threshold: Verdict("monitor", threshold, by_name=True)),
    st.floats(0, 1).map(lambda threshold: Verdict("monitor", threshold, spared=BY_NEIGHBOURS)),
)
scored = st.builds(Scored, texts, st.floats(0, 1), st.floats(0, 1), verdicts)


def player(text: str) -> Player:
    return Player(text, "name", None, text, text, 0)


def reasons_of(*gains: float) -> list[tuple[Player, float]]:
    """Players A, B, … with these contributions."""
    return [(player(chr(ord("A") + place)), gain) for place, gain in enumerate(gains)]


def because(*gains: float) -> str:
    """The second sentence of a summary, after its base."""
    return shap_summary(MONITORED, 0.1, reasons_of(*gains)).split(" it is ")[1]


def sentences(summary: str) -> list[str]:
    return re.split(r"(?<=\.) ", summary)


def given_texts(summary: str) -> set[str]:
    """What stands in capitals."""
    return set(re.findall(r"[A-Z]{3,}(?:\.[A-Z]{2,})*", summary))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict("allow", 0.5), "a.test scores 0.700 and is allowed (below 0.500)."),
        (Verdict("monitor", 0.5), "a.test scores 0.700 and is to be monitored (from 0.500)."),
        (Verdict("block", 0.6), "a.test scores 0.700 and is to be blocked (from 0.600)."),
        (
            Verdict("monitor", 0.5, spared=BY_NEIGHBOURS),
            "a.test scores 0.700 and is to be monitored (from 0.500, not blocked for its neighbours).",
        ),
        (
            Verdict("monitor", 0.55, by_name=True),
            "a.test scores 0.700 and is to be monitored (its name alone scores 0.600, blocked from 0.550).",
        ),
    ],
)
def test_a_verdict_in_words(verdict: Verdict, words: str) -> None:
    """Score, action and the threshold on the side of it that was reached."""
    assert verdict_words(Scored("a.test", 0.7, 0.6, verdict)) == words


def test_a_summary_begins_with_the_verdict() -> None:
    """Then it says from which score of an ordinary name the reasons lead away."""
    summary = shap_summary(MONITORED, 0.1234, reasons_of(0.5))
    assert (
        summary == f"{verdict_words(MONITORED)} From 0.123 for an ordinary name it is raised by A (+0.500)."
    )


@pytest.mark.parametrize(
    ("gains", "words"),
    [
        ((0.4, -0.3), "raised by A (+0.400) and lowered by B (-0.300)."),
        ((-0.4, 0.3), "raised by B (+0.300) and lowered by A (-0.400)."),
        ((0.4, 0.3, 0.2), "raised by A (+0.400) and B (+0.300)."),
        ((-0.4, -0.3, -0.2), "lowered by A (-0.400) and B (-0.300)."),
        ((0.4, 0.01, -0.01), "raised by A (+0.400) and B (+0.010) and lowered by C (-0.010)."),
        ((0.0099, -0.0099, 0.0), "hardly moved by anything."),
        ((), "hardly moved by anything."),
    ],
)
def test_the_strongest_reasons_are_named_with_their_signs(gains: tuple[float, ...], words: str) -> None:
    """At most two for and two against, and none that hardly moved the score."""
    assert because(*gains) == words


@relaxed
@given(scored, st.floats(0, 1), st.lists(st.tuples(texts, gains), max_size=8))
def test_a_summary_says_what_it_was_given(
    what: Scored, base: float, reasons: list[tuple[str, float]]
) -> None:
    """Two sentences with full stops, in which stand the domain and the strongest reasons and nobody else."""
    ordered = sorted(reasons, key=lambda reason: -abs(reason[1]))
    summary = shap_summary(what, base, [(player(text), gain) for text, gain in ordered])
    assert len(sentences(summary)) == 2
    assert all(sentence.endswith(".") for sentence in sentences(summary))
    up = [text for text, gain in ordered if gain >= 0.01][:2]
    down = [text for text, gain in ordered if gain <= -0.01][:2]
    assert given_texts(summary) == {what.domain, *up, *down}


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict("allow", 0.5), "it stays allowed"),
        (Verdict("monitor", 0.5), "it is at least monitored"),
        (Verdict("block", 0.5), "it stays blocked"),
    ],
)
def test_a_rule_keeps_its_action(verdict: Verdict, words: str) -> None:
    """The share of variations, what stays, and every condition."""
    conditions = ["no hyphens", "digit ratio > 0.3"]
    summary = anchor_summary(Scored("a.test", 0.7, 0.7, verdict), conditions, 0.975, 0.95, met=True)
    assert summary.endswith(
        f". In 97.5% of variations {words} as long as this holds: no hyphens; digit ratio > 0.3."
    )


def test_an_empty_rule_needs_nothing() -> None:
    """Without conditions nothing has to hold."""
    assert anchor_summary(MONITORED, [], 1.0, 0.95, met=True).endswith(
        ". In 100% of variations it is at least monitored whatever else changes."
    )


def test_a_search_without_time_says_so() -> None:
    """Where no rule was tried none is claimed."""
    summary = anchor_summary(MONITORED, [], None, 0.95, met=False)
    assert summary == f"{verdict_words(MONITORED)} No rule was tried in time."


def test_a_rule_that_is_not_met_is_not_sold_as_one() -> None:
    """What was wanted and what was found are both said."""
    assert anchor_summary(MONITORED, ["no hyphens"], 0.51, 0.95, met=False).endswith(
        " No rule of 95% precision was found; by the best so far it is at least monitored in 51% of "
        "variations, as long as this holds: no hyphens."
    )


def test_shares_are_never_rounded_up() -> None:
    """99.96% are not 100%."""
    assert "In 99.9% of variations" in anchor_summary(MONITORED, [], 0.9996, 0.95, met=True)


def test_a_score_beside_its_threshold_is_told_from_it() -> None:
    """Where three digits are the same, four are shown."""
    words = verdict_words(Scored("a.test", 0.8996, 0.8996, Verdict("allow", 0.8997)))
    assert words == "a.test scores 0.8996 and is allowed (below 0.8997)."


@relaxed
@given(scored, st.lists(texts, max_size=5), st.none() | st.floats(0, 1), st.booleans())
def test_a_rule_says_what_it_was_given(
    what: Scored, conditions: list[str], precision: float | None, met: bool
) -> None:
    """Two sentences with full stops, in which stand the domain and, where there is a rule, its conditions."""
    summary = anchor_summary(what, conditions, precision, 0.95, met=met)
    assert len(sentences(summary)) == 2
    assert all(sentence.endswith(".") for sentence in sentences(summary))
    said = set() if precision is None else set(conditions)
    assert given_texts(summary) == {what.domain, *said}
