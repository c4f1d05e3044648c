"""The commands of `python -m training`, and what stands behind those that make and judge versions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from explainer.background import UnusableBackground
from inference_services.processes import ServiceFailed
from predictor.checkpoint import UnusableCheckpoint, load_config
from training import pipeline
from training.background import make_background
from training.card import forget_explanations, write_card
from training.data import UnusableData
from training.evaluation import report as reports
from training.evaluation.cost_again import measure_again
from training.evaluation.headline import table
from training.evaluation.page import write_page
from training.evaluation.readme import NoPlace, renewed
from training.evaluation.run import evaluate
from training.evaluation.samples import FULL, QUICK
from training.explain_check import explain_check, write_figures
from training.explain_check import table as explained
from training.gate import command as gate
from training.registry import command as registry

_DESCRIPTION: Final = "train a version, evaluate it, check its explanations, judge it, track it"
_REFUSALS: Final = (
    UnusableData,
    UnusableCheckpoint,
    UnusableBackground,
    reports.UnusableReport,
    NoPlace,
    ServiceFailed,
)


def run(arguments: list[str], data: Path) -> int:
    """Run one command; the result is the exit status.

    Args:
        arguments: of the command line.
        data: where the labelled data lies unless they say so.
    """
    options = _parser(data).parse_args(arguments)
    try:
        return int(options.run(options))
    except _REFUSALS as problem:
        print(problem, file=sys.stderr)
        return 1


def _parser(data: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=_DESCRIPTION)
    commands = parser.add_subparsers(required=True)
    pipeline.add_commands(commands, data)
    background = commands.add_parser("background", help="write what explanations compare with")
    background.set_defaults(run=_background)
    evaluating = commands.add_parser(
        "evaluate", help="served scores against baselines; writes report and card"
    )
    evaluating.add_argument("--quick", action="store_true", help="a sample of the rows: does it work?")
    evaluating.set_defaults(run=_evaluate)
    checking = commands.add_parser("explain-check", help="are explanations true, stable and quick?")
    checking.set_defaults(run=_explain_check)
    costs = commands.add_parser("cost", help="measure versions side by side, for their reports")
    costs.add_argument("versions", type=Path, nargs="+", help="directories of evaluated versions")
    costs.add_argument("--data", type=Path, default=data, help="directory of the data files")
    costs.set_defaults(run=_cost)
    figures = commands.add_parser("figures", help="write a version's figures into README")
    figures.add_argument("--readme", type=Path, required=True, help="page with the marks of the figures")
    figures.add_argument("--check", action="store_true", help="write nothing; status 1 where they differ")
    figures.set_defaults(run=_figures)
    gate.add_arguments(commands.add_parser("gate", help=gate.HELP, description=gate.HELP))
    registry.add_commands(commands)
    for command in (background, evaluating, checking, figures):
        command.add_argument("--model_dir", type=Path, required=True, help="directory of the version")
    background.add_argument("--seed", type=int, default=0)
    for command in (background, evaluating, checking):
        command.add_argument("--data", type=Path, default=data, help="directory of the data files")
    return parser


def _background(options: argparse.Namespace) -> int:
    config = make_background(options.data, options.model_dir, options.seed)
    forget_explanations(options.model_dir)
    write_card(options.model_dir, load_config(options.model_dir))
    print(f"{options.model_dir}: background of model version {config.model_version}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    report = evaluate(options.data, options.model_dir, QUICK if options.quick else FULL)
    reports.write(report, options.model_dir)
    write_page(report, options.model_dir)
    write_card(options.model_dir, load_config(options.model_dir))
    print(table(report))
    return 0


def _cost(options: argparse.Namespace) -> int:
    for directory, cost in measure_again(options.data, options.versions).items():
        print(f"{directory}: {cost:.1f} microseconds a graph")
        write_page(reports.read(directory), directory)
    return 0


def _figures(options: argparse.Namespace) -> int:
    report = reports.read(options.model_dir)
    page = _page(options.readme)
    if (new := renewed(page, report)) == page:
        return 0
    if options.check:
        print(f"{options.readme}: its figures are not those of {options.model_dir}")
        return 1
    options.readme.write_text(new, encoding="utf-8")
    return 0


def _page(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise NoPlace(f"{path}: {problem}: expected a page of text") from None


def _explain_check(options: argparse.Namespace) -> int:
    found = explain_check(options.data, options.model_dir)
    write_figures(found, options.model_dir)
    write_card(options.model_dir, load_config(options.model_dir))
    print(explained(found))
    return 0 if all(figure.reached for figure in found) else 1
