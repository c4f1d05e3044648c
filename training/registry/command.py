"""The command lines of tracking and of the registry.

Exit status: 0 done, 1 the gate says no, 2 not possible.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from predictor.checkpoint import UnusableCheckpoint, load_config
from rollout.gate_file import UnusableGateFile, read_gate_file
from training.evaluation.report import UnusableReport
from training.registry.artefacts import files, report_of
from training.registry.compare import page
from training.registry.promote import NotPromoted, promote
from training.registry.store import RegistryFailed, default_uri, failing_in_one_line, open_client
from training.registry.tables import comparison_table, version_text, versions_table
from training.registry.versions import CANARY, MOST_SHOWN, STABLE, find, latest
from training.tracking import track

if TYPE_CHECKING:
    from mlflow import MlflowClient

DONE, REFUSED, IMPOSSIBLE = 0, 1, 2
TRACK_HELP: Final = "log a finished version as a run and register it"
REGISTRY_HELP: Final = "tracked versions: list, show, promote, compare"
_WHICH: Final = "the registry's number of a version, or an alias"

Act = Callable[["MlflowClient", argparse.Namespace], int]


def add_track_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training track`."""
    parser.add_argument("directory", type=Path, help="of the version: config.json, weights, report if there")
    parser.add_argument("--parent", default="", help=f"{_WHICH}; default: the stable one, if any")
    _common(parser, _track)


def add_registry_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m training registry`."""
    commands = parser.add_subparsers(required=True)
    listing = commands.add_parser("list", help=f"the last {MOST_SHOWN} versions with aliases and figures")
    showing = commands.add_parser("show", help="one version with its lineage")
    promoting = commands.add_parser("promote", help="give an alias, by the gate's yes")
    comparing = commands.add_parser("compare", help="figures side by side, and compare.html")
    for command in (showing, promoting):
        command.add_argument("version", help=_WHICH)
    promoting.add_argument("--to", choices=(STABLE, CANARY), required=True, help="the alias")
    basis = promoting.add_mutually_exclusive_group(required=True)
    basis.add_argument("--gate", type=Path, help="verdict of `python -m training gate` on these weights")
    basis.add_argument("--force", metavar="REASON", help="without a verdict; the reason is recorded")
    comparing.add_argument("one", help=_WHICH)
    comparing.add_argument("other", help=_WHICH)
    comparing.add_argument("--output", type=Path, default=Path("compare.html"))
    acts = {listing: _list, showing: _show, promoting: _promote, comparing: _compare}
    for command, act in acts.items():
        _common(command, act)


def _common(parser: argparse.ArgumentParser, act: Act) -> None:
    parser.add_argument(
        "--tracking_uri",
        default=default_uri(),
        help="default: $MLFLOW_TRACKING_URI, else mlruns/mlflow.db",
    )
    parser.set_defaults(run=run, act=act)


def run(options: argparse.Namespace) -> int:
    """Do what one command says; the result is the exit status."""
    try:
        with failing_in_one_line(options.tracking_uri):
            client = open_client(options.tracking_uri, create=options.act is _track)
            return int(options.act(client, options))
    except NotPromoted as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    except (RegistryFailed, UnusableCheckpoint, UnusableReport, UnusableGateFile) as problem:
        print(problem, file=sys.stderr)
        return IMPOSSIBLE
    except OSError as problem:
        print(f"{problem.filename}: {problem.strerror}", file=sys.stderr)
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
