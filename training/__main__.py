"""`python -m training`: train a model version, or evaluate one through the running services."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from inference_services.local import ServiceFailed
from predictor.checkpoint import UnusableCheckpoint, load_config
from training.card import write_card
from training.data import UnusableData
from training.evaluate import evaluate, table, write_report
from training.recipe import Recipe
from training.train import train


def main(arguments: list[str]) -> int:
    """Run one command; the result is the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        return int(options.run(options))
    except (UnusableData, UnusableCheckpoint, ServiceFailed) as problem:
        print(problem, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train", help="train a version and write its directory")
    training.add_argument("--output", type=Path, required=True, help="directory of the version")
    training.add_argument("--version", help="defaults to the output directory's name")
    training.add_argument("--seed", type=int, default=0)
    training.set_defaults(run=_train)
    evaluating = commands.add_parser("evaluate", help="served scores against baselines; writes the card")
    evaluating.add_argument("--model_dir", type=Path, required=True, help="directory of the version")
    evaluating.set_defaults(run=_evaluate)
    for command in (training, evaluating):
        command.add_argument("--data", type=Path, default=default_data(), help="directory of the data files")
    return parser


def default_data() -> Path:
    """Where the labelled data lies: $DNS_RISK_SHARED/data, else ../shared/data."""
    return Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "data"


def _train(options: argparse.Namespace) -> int:
    version = options.version or options.output.name
    config = train(options.data, options.output, version, Recipe(seed=options.seed))
    write_card(options.output, config, "Not evaluated yet: run `make evaluate`.")
    print(f"{options.output}: version {config.version}, {config.metrics}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    report = evaluate(options.data, options.model_dir)
    write_report(report, options.model_dir)
    write_card(options.model_dir, load_config(options.model_dir), table(report))
    print(table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
