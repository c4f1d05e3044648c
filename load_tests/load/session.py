"""A whole run: workers, metrics and progress together, then the verdict."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from load_tests.bench.machine import describe
from load_tests.load.assignment import Assignment
from load_tests.load.crew import Crew
from load_tests.load.knee import Found, Step, search, step_of
from load_tests.load.names import pool_of
from load_tests.load.options import Options
from load_tests.load.outcomes import Outcomes, joined
from load_tests.load.profile import Knee, Segment
from load_tests.load.report import Report
from load_tests.load.server_metrics import Watch
from load_tests.load.slo import Rule, inconclusive, judged, judged_knee

MET = "met"
BROKEN = "broken"
STOPPED = "not judged: stopped early"


class Stopped(Exception):
    """Ctrl-C in the middle of a search."""


@dataclass(slots=True)
class Session:
    """One run of a profile against a target."""

    options: Options
    folder: Path
    salt: str
    runs: int = 0

    def held(self, segments: tuple[Segment, ...], title: str) -> tuple[Outcomes, bool]:
        """The outcomes of some segments, and whether they came to their end; shows progress."""
        assignment = self._assignment(segments)
        expected = round(sum(segment.requests for segment in segments))
        # A terminal sees a bar; a log sees a line now and then.
        with tqdm(total=expected, desc=title, unit="req", mininterval=0.5, delay=1.0) as bar:

            def progress(ended: int, good: int) -> None:
                bar.set_postfix_str(f"{ended - good} not answered well", refresh=False)
                bar.update(ended - bar.n)

            outcomes, whole = Crew(assignment).run(progress)
        return outcomes, whole

    def _assignment(self, segments: tuple[Segment, ...]) -> Assignment:
        self.runs += 1
        return Assignment(
            target=self.options.target,
            profile=self.options.profile,
            segments=segments,
            query_log=self.options.query_log,
            salt=f"{self.salt}{self.runs}",
            seed=self.options.profile.seed + self.runs,
            outcomes=self.folder,
            workers=self.options.workers,
        )


def run(options: Options) -> Report:
    """Run a profile and judge it.

    Raises:
        WorkerFailed: a worker could not start or broke.
        UnusableFile: the query log.
    """
    names = pool_of(options.query_log, options.profile.traffic.zipf_exponent).source
    began, start_s = datetime.now(UTC), time.monotonic()
    with TemporaryDirectory() as folder, Watch(options.metrics) as watch:
        session = Session(options, Path(folder), secrets.token_hex(4))
        outcomes, found, whole = _measured(session)
    verdict, rules = _verdict(options, outcomes, found, whole=whole)
    machine = describe()
    return Report(
        profile=options.name,
        title=options.profile.title,
        target=" and ".join(filter(None, (options.target.rest, options.target.grpc))),
        began=began,
        seconds=time.monotonic() - start_s,
        machine=f"{machine['processor']}, {machine['cores']} cores, {machine['software']}",
        names=names,
        outcomes=outcomes,
        warmup_s=options.profile.warmup_s,
        found=found,
        servers=watch.series(start_s),
        trouble=watch.trouble,
        rules=rules,
        verdict=verdict,
    )


def _measured(session: Session) -> tuple[Outcomes, Found | None, bool]:
    profile = session.options.profile
    if profile.knee is None:
        outcomes, whole = session.held(profile.timeline, session.options.name)
        return outcomes, None, whole
    return _searched(session, profile.knee)


def _searched(session: Session, knee: Knee) -> tuple[Outcomes, Found, bool]:
    """Every step's outcomes on one time line, and the knee."""
    held: list[Outcomes] = []
    steps: list[Step] = []

    def measure(rate: float) -> Step:
        outcomes, whole = session.held((Segment(seconds=knee.step_s, rate=rate),), f"{rate:,.0f}/s")
        held.append(_shifted(outcomes, len(held) * knee.step_s))
        if not whole:
            raise Stopped
        steps.append(step_of(outcomes, rate, knee.settle_s, knee.step_s, session.options.profile.timeout_ms))
        return steps[-1]

    try:
        found, whole = search(knee, measure), True
    except Stopped:
        found, whole = Found(tuple(steps), None, reached=False), False
    return joined(held), found, whole


def _shifted(outcomes: Outcomes, by_s: float) -> Outcomes:
    moments: dict[str, Any] = {
        name: getattr(outcomes, name) + by_s for name in ("intended_s", "sent_s", "ended_s")
    }
    return replace(outcomes, **moments)


def _verdict(
    options: Options, outcomes: Outcomes, found: Found | None, *, whole: bool
) -> tuple[str, list[Rule]]:
    if not whole:
        return STOPPED, []
    if found is not None:
        return _knee_verdict(options, found)
    after = outcomes.where(outcomes.intended_s >= options.profile.warmup_s)
    if reason := inconclusive(options.slo, after):
        return f"not judged: {reason}", []
    return _of(judged(options.slo, after))


def _knee_verdict(options: Options, found: Found) -> tuple[str, list[Rule]]:
    limit = options.slo.generator.lag_p99_ms
    if found.knee is None:
        return f"not judged: even {found.steps[0].offered:.0f} requests/s are not followed; lower --scale", []
    if not found.reached:
        return f"not judged: {found.knee.offered:.0f} requests/s are still followed; raise --scale", []
    # Also at the first rate that was not followed: it may have been the generator that did not.
    beyond = min((step for step in found.steps if step.offered > found.knee.offered), key=lambda s: s.offered)
    if max(found.knee.lag_p99_ms or 0.0, beyond.lag_p99_ms or 0.0) > limit:
        return "not judged: the generator was the limit, use more --workers or another machine", []
    return _of(judged_knee(options.slo.knee, found))


def _of(rules: list[Rule]) -> tuple[str, list[Rule]]:
    return (MET if all(rule.met for rule in rules) else BROKEN), rules
