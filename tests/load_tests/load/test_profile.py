"""Profiles are read strictly, and can be stretched in time and rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from load_tests.load.profile import PROFILES, profile_names, read_profile
from load_tests.load.slo import DEFAULT, Slo
from load_tests.load.toml_file import UnusableFile, read_toml

STEADY = (PROFILES / "steady.toml").read_text()


def written(folder: Path, text: str) -> str:
    """A profile of one's own."""
    path = folder / "own.toml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", profile_names())
def test_shipped_profiles_and_objectives_are_readable(name: str) -> None:
    """Each has segments or a search, and the objectives go with it."""
    profile = read_profile(name)
    assert profile.segments or profile.knee
    assert read_toml(DEFAULT, Slo).requests is not None


def test_the_shipped_profiles_are_those_that_are_documented() -> None:
    """A scenario that is gone, or a new one, is noticed."""
    assert profile_names() == ["burst", "canary", "ramp-to-knee", "soak", "steady"]


def test_a_profile_is_stretched_in_time_and_rate() -> None:
    """Half as long at twice the rate is as many requests, and warm-up shrinks along."""
    profile, own = read_profile("burst"), read_profile("burst", seconds=30, scale=2)
    assert own.seconds == pytest.approx(30)
    assert own.warmup_s == pytest.approx(profile.warmup_s / 2)
    assert sum(s.requests for s in own.timeline) == pytest.approx(sum(s.requests for s in profile.timeline))


def test_a_search_is_stretched_by_its_steps() -> None:
    """Seconds are those of a step."""
    knee = read_profile("ramp-to-knee", seconds=3, scale=0.5).knee
    assert knee is not None
    assert (knee.step_s, knee.settle_s, knee.start_rate) == (3, 0.5, 100)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            ("rate = 200", "rate = -1"),
            "segments.0.rate: Input should be greater than or equal to 0, got '-1'",
        ),
        (("rate = 200", "rats = 200"), "segments.0.rate"),
        (("fresh_share = 0.1", "fresh_share = 1.1"), "traffic.fresh_share"),
        (("timeout_ms = 1000", "timeout_ms = 1000\nwarp = 1"), "warp: no such key"),
        (("batch_share = 0.1", "batch_share = 0.1\nbatch_names = [9, 2]"), "fewest before most"),
        (("warmup_s = 5", "warmup_s = 65"), "65 s leave nothing of 65 s"),
        (("[[segments]]\nseconds = 65\nrate = 200", ""), "either segments or knee"),
        (("rate = 200", "rate = 1_000_000"), "more than 5,000,000 requests"),
        (("arrivals =", "arrivals"), "own.toml"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    """A key that is unknown, missing or out of range is refused by its name, with what came."""
    assert change[0] in STEADY
    with pytest.raises(UnusableFile) as refusal:
        read_profile(written(tmp_path, STEADY.replace(*change)))
    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_profile_that_does_not_exist_is_answered_with_those_that_do() -> None:
    """The message lists the shipped ones."""
    with pytest.raises(UnusableFile, match="no profile stedy: there are burst, canary"):
        read_profile("stedy")


def test_a_scale_that_no_rate_may_have_is_refused() -> None:
    """What is stretched is checked as what is written."""
    with pytest.raises(UnusableFile, match="rate"):
        read_profile("steady", scale=1e9)
