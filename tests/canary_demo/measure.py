"""What clients saw: who answered, how the traffic was split, and what failed whose fault it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.canary_demo.cluster import Split
from tests.canary_demo.traffic import GOOD_CODES
from tests.canary_demo.versions import Version


@dataclass(frozen=True)
class Request:
    """One line of the traffic's record; `asked` in Unix seconds."""

    asked: float
    protocol: str
    code: str
    version: str
    seconds: float

    @property
    def failed(self) -> bool:
        return self.code not in GOOD_CODES


@dataclass(frozen=True)
class MeasuredSplit:
    """A stretch of constant weights, as clients saw it."""

    asked_percent: int
    measured_percent: float
    requests: int


def read_requests(path: Path, since: float) -> list[Request]:
    """Everything that was asked since; a line that is being written is left out."""
    lines = path.read_text().splitlines(keepends=True)
    found = (Request(**json.loads(line)) for line in lines if line.endswith("\n"))
    return [request for request in found if request.asked >= since]


def measure(
    splits: Sequence[Split], requests: Sequence[Request], version: Version, until: float
) -> list[MeasuredSplit]:
    """The canary's share of the requests in each stretch in which weights were in force alone.

    Only steps: weights of 0 and 100, and those of a promotion, have nothing to measure.
    """
    ends = [split.since for split in splits[1:]] + [until]
    measured = []
    for split, end in zip(splits, ends, strict=True):
        if split.canary_percent in {None, 0, 100}:
            continue
        # A failure names no version, but its own kind are the canary's; a word that is no name asks no model.
        mine = [
            "canary" if r.version == version.version or r.code in version.codes else r.version
            for r in requests
            if split.since <= r.asked < end and (r.version or r.code in version.codes)
        ]
        canary = mine.count("canary")
        percent = 100 * canary / len(mine) if mine else 0.0
        measured.append(MeasuredSplit(split.canary_percent or 0, percent, len(mine)))
    return measured


def failures(requests: Sequence[Request], own_codes: frozenset[str]) -> tuple[Counter[str], Counter[str]]:
    """Failures by status: those that the version itself answers with, and all others, which nobody may see."""
    failed = [request for request in requests if request.failed]
    own = Counter(request.code for request in failed if request.code in own_codes)
    other = Counter(
        f"{request.protocol} {request.code}" for request in failed if request.code not in own_codes
    )
    return own, other


def exposure_s(splits: Sequence[Split], until: float) -> float:
    """Seconds from the first moment that weights let the canary in to the one when they shut it out."""
    let_in = next((split.since for split in splits if split.canary_percent), None)
    if let_in is None:
        return 0.0
    shut = (s.since for s in splits if s.since > let_in and s.canary_percent == 0)
    return next(shut, until) - let_in
