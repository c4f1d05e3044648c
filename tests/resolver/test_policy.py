"""What follows from a score, a mode and a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from resolver.allowlist import POPULAR, Allowlist, UnusableList, read_allowlist
from resolver.policy import Policy, Verdict
from resolver.score_cache import Scored

BAD, FAIR, GOOD = (
    Scored(0.99, "block", "phishing"),
    Scored(0.6, "monitor", "dga"),
    Scored(0.01, "allow", "benign"),
)
NOBODY = Allowlist()


def test_the_transformers_action_is_taken_where_no_threshold_is_set() -> None:
    """With the category as the reason."""
    policy = Policy("block", NOBODY)
    assert policy.verdict("a.example", BAD) == Verdict("block", "phishing")
    assert policy.verdict("a.example", FAIR) == Verdict("monitor", "dga")
    assert policy.verdict("a.example", GOOD) == Verdict("allow", "benign")
    assert policy.verdict("a.example", Scored(0, "unscored", "")) == Verdict("allow", "unscored")


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
    assert [policy.verdict("a.example", scored).action for scored in (BAD, FAIR, GOOD)] == expected


@pytest.mark.parametrize(
    ("mode", "told", "published"),
    [("monitor", "monitor", False), ("log", "monitor", True), ("block", "block", True)],
)
def test_nothing_is_blocked_unless_the_mode_says_so(mode: str, told: str, published: bool) -> None:
    """Others are told to look at it; the zone is empty or lets pass."""
    policy = Policy(mode, NOBODY)
    assert policy.told(policy.verdict("a.example", BAD)) == told
    assert policy.published == published


def test_the_allowlist_always_wins(tmp_path: Path) -> None:
    """Also over thresholds, for the name and everything below it, and not for names that end alike."""
    path = tmp_path / "allow.txt"
    path.write_text("# ours\nExample.COM.  # all of it\n\nxn--bcher-kva.example\n")
    policy = Policy("block", read_allowlist(path), block_threshold=0.0)
    for name in ("example.com", "a.b.example.com", "xn--bcher-kva.example"):
        assert policy.verdict(name, BAD) == Verdict("allow", "listed")
    assert policy.verdict("badexample.com", BAD).action == "block"


@pytest.mark.parametrize(
    "line", ["two names", "bücher.example", "http://example.com", "-a.example", "a..b", "x" * 64]
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
        assert not popular.covers(name), name
    assert popular.covers("www.google.com")
