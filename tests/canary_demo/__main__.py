"""`make canary-demo`: canaries behind a real proxy, judged by a real Prometheus, promoted or taken back.

Runs on this machine only: rollout, services, nginx and Prometheus are the real ones, the Kubernetes API is a stand-in.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.canary_demo.demo import Demo, Outcome, running

# Worse ones first: the good one becomes the stable version.
ORDER = ("shifted", "failing", "slow", "good")
SHORT_STEPS = (25, 100)
STEPS = (5, 25, 50, 100)
# 5,000 requests in a step of the policy's, and two cores are enough for everything.
RATE = 160.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; status 1 where a verdict was wrong or somebody noticed a rollout."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    options = _options(arguments)
    missing = missing_programs()
    if missing:
        _say(f"needs {', '.join(missing)} on the PATH (Debian: apt install nginx prometheus)")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="dns-risk-canary-"))
    _say(f"Everything is written to {folder}. Starting the stable version behind nginx …")
    try:
        with running(folder, options.rate) as demo:
            return _all(demo, options)
    except KeyboardInterrupt:
        _say("stopped")
        return 130


def missing_programs() -> list[str]:
    """What the demo cannot do without."""
    needed = (("nginx",), ("prometheus",), ("kubectl", "kustomize"))
    return [" or ".join(any_of) for any_of in needed if not any(map(shutil.which, any_of))]


def _all(demo: Demo, options: argparse.Namespace) -> int:
    names = ORDER if options.canary == "all" else (options.canary,)
    outcomes = []
    for name in names:
        _say(f"\n{name} canary")
        version = demo.versions[name]
        if options.shadow:
            outcomes.append(demo.shadow(version, 50, options.minutes, _show))
            _say(f"clients were answered by {dict(outcomes[-1].versions_seen)}")
        else:
            outcomes.append(demo.roll_out(version, SHORT_STEPS if options.short else STEPS, _show))
    _say("\n" + table(outcomes))
    return 0 if all(outcome.as_meant for outcome in outcomes) else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _show(line: str) -> None:
    _say(f"  {time.strftime('%H:%M:%S')}  {line}")


def table(outcomes: Sequence[Outcome]) -> str:
    """What came of each, for people."""
    parts = []
    for outcome in outcomes:
        splits = ", ".join(
            f"{s.asked_percent} % asked {s.measured_percent:.1f} % measured of {s.requests}"
            for s in outcome.splits
        )
        own, other = (sum(found.values()) for found in (outcome.own_failures, outcome.other_failures))
        failed = f"{other} because of the rollout, {own} answered so by the canary, of {outcome.requests}"
        parts += [
            f"{outcome.version.name}: {outcome.verdict}: {outcome.last_words}",
            f"  split             {splits or 'none'}",
            f"  failed requests   {failed}",
            f"  canary in traffic {outcome.exposure_s:.1f} s",
            f"  report            {outcome.report}",
        ]
        parts += [f"  noticed           {dict(outcome.other_failures)}"] * bool(outcome.other_failures)
    return "\n".join(parts)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.canary_demo", description=__doc__)
    parser.add_argument("--canary", choices=(*ORDER, "all"), default="all")
    parser.add_argument("--short", action="store_true", help="fewer steps")
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument(
        "--shadow", action="store_true", help="mirror half of the requests instead of answering"
    )
    parser.add_argument("--minutes", type=float, default=0.5, help="how long the shadow lasts")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
