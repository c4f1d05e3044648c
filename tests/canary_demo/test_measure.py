"""What is said of the traffic follows from what clients wrote down."""

from __future__ import annotations

import json
from pathlib import Path

from tests.canary_demo.cluster import Split
from tests.canary_demo.measure import MeasuredSplit, Request, exposure_s, failures, measure, read_requests
from tests.canary_demo.versions import Version

SPLITS = [
    Split(None, mirrored=False, since=0.0),
    Split(20, mirrored=False, since=10.0),
    Split(None, mirrored=False, since=20.0),
    Split(0, mirrored=False, since=21.0),
]
CANARY = Version("failing", "s3://models/2", "2", Path("2"), codes=frozenset({"500"}))


def request(asked: float, version: str = "1", code: str = "200") -> Request:
    return Request(asked, "rest", code, version, 0.01)


def test_a_split_is_measured_while_it_is_in_force() -> None:
    """What was asked while the proxy changed over is no part of it; the canary's own failures are."""
    inside = [request(11.0), request(12.0), request(14.0, "2"), request(15.0, "", code="500")]
    outside = [request(9.0, "2"), request(20.5, "2"), request(22.0)]
    assert measure(SPLITS, inside + outside, CANARY, until=30.0) == [MeasuredSplit(20, 50.0, 4)]


def test_failures_are_told_apart() -> None:
    """Those that the version answers with by itself, and those that nobody may see."""
    requests = [request(1.0), request(2.0, code="500"), request(3.0, code="502")]
    own, other = failures(requests, frozenset({"500"}))
    assert (own, other) == ({"500": 1}, {"rest 502": 1})


def test_exposure_lasts_until_the_weights_are_back() -> None:
    """From the first share of the canary to none."""
    assert exposure_s(SPLITS, until=30.0) == 11.0
    assert exposure_s(SPLITS[:3], until=30.0) == 20.0
    assert exposure_s(SPLITS[3:], until=30.0) == 0.0


def test_a_half_written_line_is_left_out(tmp_path: Path) -> None:
    """The record is read while it is written."""
    line = json.dumps({"asked": 5.0, "protocol": "grpc", "code": "OK", "version": "1", "seconds": 0.1})
    (tmp_path / "record").write_text(f'{line}\n{line}\n{{"asked": 6')
    assert len(read_requests(tmp_path / "record", since=5.0)) == 2
    assert read_requests(tmp_path / "record", since=5.1) == []
