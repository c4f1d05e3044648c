"""The gate's command line: read two versions and a policy, judge, keep the verdict."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from predictor.checkpoint import UnusableCheckpoint
from rollout.gate_file import write_gate_file
from training.evaluation.report import UnusableReport
from training.gate.judge import judge
from training.gate.policy import DEFAULT_POLICY, UnusablePolicy, read_policy
from training.gate.table import table
from training.gate.versions import read_version

PASSED, FAILED, UNUSABLE = 0, 1, 2
HELP: Final = "may a version take another's place? status 0 yes, 1 no, 2 unusable input"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training gate`."""
    parser.add_argument("candidate", type=Path, help="directory of the new version, with report.json")
    parser.add_argument("baseline", type=Path, help="directory of the version whose place it wants")
    parser.add_argument("--policy", type=Path, default=DEFAULT_POLICY, help="default: the shipped gate.toml")
    parser.add_argument("--output", type=Path, default=Path("gate.json"), help="where the verdict is kept")
    parser.add_argument(
        "--same_machine_only",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="off: a time that cannot be compared does not count, instead of failing",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Judge and keep the verdict; the result is the exit status."""
    try:
        # A verdict of before must not pass for that of a run that could not be made.
        options.output.unlink(missing_ok=True)
        policy, digest = read_policy(options.policy)
        candidate, baseline = read_version(options.candidate), read_version(options.baseline)
        gate = judge(candidate, baseline, policy, digest, same_machine_only=options.same_machine_only)
        write_gate_file(options.output, gate)
    except (UnusableCheckpoint, UnusableReport, UnusablePolicy) as problem:
        print(problem, file=sys.stderr)
        return UNUSABLE
    except OSError as problem:
        print(f"{options.output}: {problem.strerror}: expected a file that can be written", file=sys.stderr)
        return UNUSABLE
    print(table(gate))
    return PASSED if gate.passed else FAILED
