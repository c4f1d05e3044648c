"""`python -m training`: train a version, evaluate it, check its explanations, judge it, track it."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from explainer.background import UnusableBackground
from inference_services.processes import ServiceFailed
from predictor.checkpoint import UnusableCheckpoint, load_config
from training.background import make_background
from training.card import forget_explanations, forget_figures, write_card
from training.data import UnusableData
from training.evaluate import evaluate, table, write_report
from training.explain_check import explain_check, write_figures
from training.explain_check import table as explained
from training.gate import command as gate
from training.recipe import Recipe
from training.registry import command as registry
from training.train import train


def main(arguments: list[str]) -> int:
    """Run one command; the result is the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        return int(options.run(options))
    except (UnusableData, UnusableCheckpoint, UnusableBackground, ServiceFailed) as problem:
        print(problem, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train", help="train a version and write its directory")
    training.add_argument("--output", type=Path, required=True, help="directory of the version")
    training.add_argument("--version", help="defaults to the output directory's name")
    training.set_defaults(run=_train)
    background = commands.add_parser("background", help="write what explanations compare with")
    background.set_defaults(run=_background)
    evaluating = commands.add_parser("evaluate", help="served scores against baselines; writes the card")
    evaluating.set_defaults(run=_evaluate)
    checking = commands.add_parser("explain-check", help="are explanations true, stable and quick?")
    checking.set_defaults(run=_explain_check)
    gate.add_arguments(commands.add_parser("gate", help=gate.HELP, description=gate.HELP))
    registry.add_track_arguments(
        commands.add_parser("track", help=registry.TRACK_HELP, description=registry.TRACK_HELP)
    )
    registry.add_registry_arguments(
        commands.add_parser("registry", help=registry.REGISTRY_HELP, description=registry.REGISTRY_HELP)
    )
    for command in (background, evaluating, checking):
        command.add_argument("--model_dir", type=Path, required=True, help="directory of the version")
    for command in (training, background):
        command.add_argument("--seed", type=int, default=0)
    for command in (training, background, evaluating, checking):
        command.add_argument("--data", type=Path, default=default_data(), help="directory of the data files")
    return parser


def default_data() -> Path:
    """Where the labelled data lies: $DNS_RISK_SHARED/data, else ../shared/data."""
    return Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "data"


def _train(options: argparse.Namespace) -> int:
    version = options.version or options.output.name
    config = train(options.data, options.output, version, Recipe(seed=options.seed))
    make_background(options.data, options.output, options.seed)
    forget_figures(options.output)
    write_card(options.output, config)
    print(f"{options.output}: version {config.version}, {config.metrics}")
    return 0


def _background(options: argparse.Namespace) -> int:
    config = make_background(options.data, options.model_dir, options.seed)
    forget_explanations(options.model_dir)
    write_card(options.model_dir, load_config(options.model_dir))
    print(f"{options.model_dir}: background of model version {config.model_version}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    report = evaluate(options.data, options.model_dir)
    write_report(report, options.model_dir)
    write_card(options.model_dir, load_config(options.model_dir))
    print(table(report))
    return 0


def _explain_check(options: argparse.Namespace) -> int:
    found = explain_check(options.data, options.model_dir)
    write_figures(found, options.model_dir)
    write_card(options.model_dir, load_config(options.model_dir))
    print(explained(found))
    return 0 if all(figure.reached for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
