"""`python -m training`: train a version, evaluate it and check its explanations through the services."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from explainer.background import UnusableBackground
from inference_services.processes import ServiceFailed
from predictor.checkpoint import UnusableCheckpoint, load_config
from training import pipeline
from training.background import make_background
from training.card import forget_explanations, write_card
from training.data import UnusableData
from training.evaluate import evaluate, table, write_report
from training.explain_check import explain_check, write_figures
from training.explain_check import table as explained


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
    pipeline.add_commands(commands, default_data())
    background = commands.add_parser("background", help="write what explanations compare with")
    background.set_defaults(run=_background)
    evaluating = commands.add_parser("evaluate", help="served scores against baselines; writes the card")
    evaluating.set_defaults(run=_evaluate)
    checking = commands.add_parser("explain-check", help="are explanations true, stable and quick?")
    checking.set_defaults(run=_explain_check)
    for command in (background, evaluating, checking):
        command.add_argument("--model_dir", type=Path, required=True, help="directory of the version")
    background.add_argument("--seed", type=int, default=0)
    for command in (background, evaluating, checking):
        command.add_argument("--data", type=Path, default=default_data(), help="directory of the data files")
    return parser


def default_data() -> Path:
    """Where the labelled data lies: $DNS_RISK_SHARED/data, else ../shared/data."""
    return Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "data"


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
