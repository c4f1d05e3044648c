"""What follows from a score, a mode and a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from resolver.allowlist import POPULAR, Allowlist, UnusableList, read_allowlist
from resolver.policy import Policy, Verdict
from resolver.score_cache import Scored
from resolver.wire_names import from_text

BAD, FAIR, GOOD = (
    Scored(0.99, "block", "phishing", 0.99),
    Scored(0.6, "monitor", "dga", 0.6),
    Scored(0.01, "allow", "benign", 0.01),
)
NOBODY = Allowlist()
NAME = from_text("a.shop.com")


def test_the_transformers_action_is_taken_where_no_threshold_is_set() -> None:
    """With the category as the reason."""
    policy = Policy("block", NOBODY)
    assert policy.verdict(NAME, BAD) == Verdict("block", "phishing")
    assert policy.verdict(NAME, FAIR) == Verdict("monitor", "dga")
    assert policy.verdict(NAME, GOOD) == Verdict("allow", "benign")
    assert policy.verdict(NAME, Scored(0, "unscored", "")) == Verdict("allow", "unscored")


@pytest.mark.parametrize(
    ("block", "monitor", "expected"),
    [
        (0.5, None, ["block", "block", "allow"]),
        (0.995, None, ["monitor", "monitor", "allow"]),
        (0.9, 0.005, ["block", "monitor", "monitor"]),
        (None, 0.7, ["block", "allow", "allow"]),
    ],
)
def test_thresholds_of_the_operator_go_before(
    block: float | None, monitor: float | None, expected: list[str]
) -> None:
    """Each may be set alone."""
    policy = Policy("block", NOBODY, block, monitor)
    assert [policy.verdict(NAME, scored).action for scored in (BAD, FAIR, GOOD)] == expected


@pytest.mark.parametrize(
    ("mode", "told", "published"),
    [("monitor", "monitor", False), ("log", "monitor", True), ("block", "block", True)],
)
def test_nothing_is_blocked_unless_the_mode_says_so(mode: str, told: str, published: bool) -> None:
    """Others are told to look at it; the zone is empty or lets pass."""
    policy = Policy(mode, NOBODY)
    assert policy.told(policy.verdict(NAME, BAD)) == told
    assert policy.published == published


def test_the_allowlist_always_wins(tmp_path: Path) -> None:
    """Also over thresholds, for the name and everything below it, and not for names that end alike."""
    path = tmp_path / "allow.txt"
    path.write_text(
        "\ufeff# ours\nExample.COM.  # all of it\n\nxn--bcher-kva.example\nverif\\121888.tk\n",
        encoding="utf-8",
    )
    policy = Policy("block", read_allowlist(path), block_threshold=0.0)
    for name in (
        "example.com",
        "a.b.example.com",
        "xn--bcher-kva.example",
        "verify888.tk",
        "VERIF\\089888.tk",
    ):
        assert policy.verdict(from_text(name), BAD) == Verdict("allow", "listed")
    assert policy.verdict(from_text("bad-example.com"), BAD).action == "block"


@pytest.mark.parametrize(
    "line",
    [
        "two names",
        "bücher.example",
        "http://example.com",
        "*.example.com",
        "a..b",
        "x" * 64,
        ".",
        "a\\300.tk",
    ],
)
def test_a_line_that_is_no_name_is_refused(tmp_path: Path, line: str) -> None:
    """By file and line: a list that protects less than it seems to is worse than none."""
    path = tmp_path / "allow.txt"
    path.write_text(f"example.com\n{line}\n")
    with pytest.raises(UnusableList, match="line 2"):
        read_allowlist(path)
    with pytest.raises(UnusableList, match="nowhere"):
        read_allowlist(tmp_path / "nowhere")


def test_popular_domains_are_registered_domains_of_one_owner() -> None:
    """None of them is a public suffix or a place where anybody can have a name."""
    popular = read_allowlist(POPULAR)
    assert len(popular) > 200
    for name in (
        "com",
        "co.uk",
        "github.io",
        "amazonaws.com",
        "cloudfront.net",
        "blogspot.com",
        "duckdns.org",
        "pages.dev",
    ):
        assert not popular.covers(from_text(name)), name
    assert popular.covers(from_text("www.google.com"))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("*.duckdns.org", "wildcard label"),
        ("duckdns.org", "public suffix"),
        ("amazonaws.com", "hosts others' names"),
        ("asdkjhqwezxc", "single label"),
        ("brn30055c1a2b3c.local", "special use"),
        ("a1b2c3d4e5f6.lan", "no public suffix"),
    ],
)
def test_what_may_never_be_blocked_is_watched_at_most(name: str, why: str) -> None:
    """Whatever the score and the operator's threshold; and it is told why."""
    for policy in (Policy("block", NOBODY), Policy("block", NOBODY, block_threshold=0.0)):
        assert policy.verdict(from_text(name), BAD) == Verdict("monitor", "phishing", why)


def test_evidence_alone_blocks_nobody() -> None:
    """A name that is bad by its neighbours only is watched, also at the operator's own threshold."""
    moved = Scored(0.995, "monitor", "malware", 0.3)
    assert Policy("block", NOBODY).verdict(NAME, moved).action == "monitor"
    assert Policy("block", NOBODY, 0.9).verdict(NAME, moved).action == "monitor"
    assert Policy("block", NOBODY, 0.3).verdict(NAME, moved).action == "block"


def test_what_a_listed_name_leads_to_is_listed() -> None:
    """For as long as it is sheltered."""
    assert Policy("block", NOBODY).verdict(NAME, BAD, sheltered=True) == Verdict("allow", "listed")
