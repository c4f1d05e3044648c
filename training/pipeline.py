"""Commands of the pipeline: all of it, one step, or the fit alone as `torchrun` starts it."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from training.fit_together import fit_together
from training.recipe import Recipe, number_of, read_recipe
from training.steps.cache import Workshop
from training.steps.plan import STEPS


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser], data: Path) -> None:
    """Add `train`, `step` and `fit` to the command line."""
    whole = commands.add_parser("train", help="run every step, write a version's directory")
    whole.add_argument("--output", type=Path, required=True, help="directory of the version")
    whole.set_defaults(run=_train)
    one = commands.add_parser("step", help="run one step, with those that it needs")
    one.add_argument("name", choices=STEPS)
    one.add_argument("--output", type=Path, help="directory to copy its result to")
    one.set_defaults(run=_step)
    for command in (whole, one):
        command.add_argument("--version", help="of the model; defaults to the output directory's name, or 1")
        command.add_argument("--data", type=Path, default=data, help="directory of the data files")
        command.add_argument(
            "--work", type=Path, default=Path("build/training"), help="where results of steps are kept"
        )
    fitting = commands.add_parser("fit", help="fit alone, by as many processes as torchrun starts")
    fitting.add_argument(
        "--features", type=Path, required=True, help="folder that step featurize has written"
    )
    fitting.add_argument("--output", type=Path, required=True, help="folder to write")
    fitting.set_defaults(run=_fit)
    for command in (whole, one, fitting):
        command.add_argument("--recipe", type=Path, help="TOML file of numbers that differ from the recipe")
        command.add_argument("--seed", type=int, help="overrides the recipe's")
        command.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=NUMBER",
            help="overrides one number of the recipe",
        )


def _train(options: argparse.Namespace) -> int:
    made = _workshop(options, options.version or options.output.name).make("package")
    shutil.copytree(made, options.output, dirs_exist_ok=True)
    print(f"{options.output}: from {made}")
    return 0


def _step(options: argparse.Namespace) -> int:
    made = _workshop(options, options.version or "1").make(options.name)
    if options.output is not None:
        shutil.copytree(made, options.output, dirs_exist_ok=True)
    print(made)
    return 0


def _workshop(options: argparse.Namespace, version: str) -> Workshop:
    return Workshop(options.data, options.work, _recipe(options), version, STEPS)


def _recipe(options: argparse.Namespace) -> Recipe:
    overrides = dict(number_of(text) for text in options.set)
    return read_recipe(options.recipe, overrides | ({} if options.seed is None else {"seed": options.seed}))


def _fit(options: argparse.Namespace) -> int:
    fit_together(options.features, _recipe(options), options.output)
    return 0
