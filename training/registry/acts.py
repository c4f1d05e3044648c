"""What each command of tracking and of the registry does, in a store that was looked at."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from predictor.checkpoint import UnusableCheckpoint, load_config
from rollout.gate_file import UnusableGateFile, read_gate_file
from training.evaluation.report import UnusableReport
from training.registry.artefacts import files, report_of
from training.registry.command import IMPOSSIBLE, TRACK
from training.registry.compare import page
from training.registry.promote import NotPromoted, promote
from training.registry.store import RegistryFailed, failing_in_one_line, open_client
from training.registry.tables import comparison_table, version_text, versions_table
from training.registry.versions import find, latest
from training.tracking import track

if TYPE_CHECKING:
    from mlflow import MlflowClient

DONE, REFUSED = 0, 1


def run(options: argparse.Namespace) -> int:
    """Do what one command says; the result is the exit status."""
    try:
        with failing_in_one_line(options.tracking_uri):
            client = open_client(options.tracking_uri, create=options.act == TRACK)
            return _ACTS[options.act](client, options)
    except NotPromoted as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    except (RegistryFailed, UnusableCheckpoint, UnusableReport, UnusableGateFile) as problem:
        print(problem, file=sys.stderr)
        return IMPOSSIBLE
    except OSError as problem:
        print(f"{problem.filename}: {problem.strerror}" if problem.filename else problem, file=sys.stderr)
        return IMPOSSIBLE


def _track(client: MlflowClient, options: argparse.Namespace) -> int:
    config = load_config(options.directory)
    version = track(config, options.directory, client, options.tracking_uri, options.parent)
    print(f"{options.directory}: version {version}, kept at {version.source}")
    return DONE


def _list(client: MlflowClient, _options: argparse.Namespace) -> int:
    print(versions_table(latest(client)))
    return DONE


def _show(client: MlflowClient, options: argparse.Namespace) -> int:
    version = find(client, options.version)
    print(version_text(version, files(client, version)))
    return DONE


def _promote(client: MlflowClient, options: argparse.Namespace) -> int:
    version = find(client, options.version)
    basis = options.force if options.gate is None else read_gate_file(options.gate)
    tags = promote(client, version, options.to, basis)
    print(f"version {version} is {options.to}: {tags[f'{options.to}.by']}")
    return DONE


def _compare(client: MlflowClient, options: argparse.Namespace) -> int:
    one, other = find(client, options.one), find(client, options.other)
    print(comparison_table(one, other))
    reports = report_of(client, one), report_of(client, other)
    if reports[0] is None or reports[1] is None:
        print("no page: a version was tracked without report.json; evaluate it and track it again")
    else:
        options.output.write_text(page((one, other), (reports[0], reports[1])))
        print(f"page: {options.output}")
    return DONE


_ACTS: Final[dict[str, Callable[["MlflowClient", argparse.Namespace], int]]] = {
    TRACK: _track,
    "list": _list,
    "show": _show,
    "promote": _promote,
    "compare": _compare,
}
