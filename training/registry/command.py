"""The command lines of tracking and of the registry.

What they need is imported when its place was looked at: it takes seconds, and a server that is away is told
within less.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from training.registry.store import RegistryFailed, default_uri, look
from training.registry.versions import CANARY, MOST_SHOWN, STABLE

IMPOSSIBLE: Final = 2
TRACK: Final = "track"
TRACK_HELP: Final = "log a finished version as a run and register it"
REGISTRY_HELP: Final = "tracked versions: list, show, promote, compare"
_WHICH: Final = "the registry's number of a version, or an alias"


def add_commands(commands: Any) -> None:
    """The arguments of `python -m training track` and `registry`, among other commands."""
    _add_track(commands.add_parser(TRACK, help=TRACK_HELP, description=TRACK_HELP))
    _add_registry(commands.add_parser("registry", help=REGISTRY_HELP, description=REGISTRY_HELP))


def _add_track(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, help="of the version: config.json, weights, report if there")
    parser.add_argument("--parent", default="", help=f"{_WHICH}; default: the stable one, if any")
    _common(parser, TRACK)


def _add_registry(parser: argparse.ArgumentParser) -> None:
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
    acts = {"list": listing, "show": showing, "promote": promoting, "compare": comparing}
    for act, command in acts.items():
        _common(command, act)


def _common(parser: argparse.ArgumentParser, act: str) -> None:
    parser.add_argument(
        "--tracking_uri",
        default=default_uri(),
        help="default: $MLFLOW_TRACKING_URI, else mlruns/mlflow.db",
    )
    parser.set_defaults(run=run, act=act)


def run(options: argparse.Namespace) -> int:
    """Do what one command says; the result is the exit status: 0 done, 1 the gate says no, 2 not possible."""
    try:
        look(options.tracking_uri, create=options.act == TRACK)
    except RegistryFailed as problem:
        print(problem, file=sys.stderr)
        return IMPOSSIBLE
    from training.registry import acts  # noqa: PLC0415

    return acts.run(options)
