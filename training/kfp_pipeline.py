"""`python -m training.kfp_pipeline`: training for Kubeflow, compiled to YAML or run on this machine.

Needs the extra `kfp`, in an environment without the extras `rollout` and `load`.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Collection, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from training.__main__ import default_data
from training.data import UnusableData
from training.recipe import number_of, recipe_with
from training.steps.plan import PLAN, STEPS
from training.steps.step import Step

DATA_CLAIM: Final = "dns-risk-training-data"
MOUNTED_DATA: Final = "/data"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compile or run; the result is the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        options.run(options)
    except UnusableData as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def until(names: Collection[str]) -> list[Step]:
    """The steps of these names and all that they need, in the plan's order.

    >>> [step.name for step in until(["split"])]
    ['load', 'check', 'split']
    """
    wanted = set(names)
    for step in reversed(PLAN):
        if step.name in wanted:
            wanted |= set(step.needs)
    return [step for step in PLAN if step.name in wanted]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.kfp_pipeline", description=__doc__)
    commands = parser.add_subparsers(required=True)
    compiling = commands.add_parser("compile", help="write the pipeline as YAML for Kubeflow")
    compiling.add_argument("--output", type=Path, required=True, help="file to write")
    compiling.add_argument(
        "--image", default=f"dns-risk/training:{version('dns-risk')}", help="of every component"
    )
    compiling.add_argument("--claim", default=DATA_CLAIM, help="volume claim with the data files")
    compiling.set_defaults(run=_compile)
    running = commands.add_parser("run-local", help="run every step on this machine, by KFP's local runner")
    running.add_argument("--data", type=Path, default=default_data(), help="directory of the data files")
    running.add_argument(
        "--work", type=Path, default=Path("build/kfp"), help="where results of steps are kept"
    )
    running.add_argument("--version", default="1", help="of the model")
    running.add_argument(
        "--set", action="append", default=[], metavar="NAME=NUMBER", help="a number of the recipe"
    )
    running.set_defaults(run=_run_local)
    for command in (compiling, running):
        command.add_argument("--until", choices=STEPS, default=PLAN[-1].name, help="the last step")
    return parser


# KFP is imported where it is used: the help, and what is refused before, must not need it.
def _compile(options: argparse.Namespace) -> None:
    if options.output.suffix != ".yaml":
        raise UnusableData(f"--output: expected a file name that ends in .yaml, got {options.output}")
    if not options.output.parent.is_dir():
        raise UnusableData(f"--output: {options.output.parent} is no directory")
    _need_kfp()
    from training.kubeflow.pipeline import Site, write_pipeline  # noqa: PLC0415

    steps = until([options.until])
    write_pipeline(steps, Site(options.image, options.claim, MOUNTED_DATA), options.output)
    print(f"{options.output}: {len(steps)} steps, image {options.image}")


def _run_local(options: argparse.Namespace) -> None:
    recipe = dict(number_of(text) for text in options.set)
    recipe_with(recipe, "--set")
    if not options.data.is_dir():
        raise UnusableData(f"--data: {options.data} is no directory")
    _need_kfp()
    from training.kubeflow.local import run_local  # noqa: PLC0415

    print(run_local(until([options.until]), options.data, options.work, recipe, options.version))


def _need_kfp() -> None:
    if find_spec("kfp") is None:
        raise UnusableData("needs KFP: pip install '.[kfp]' into an environment of its own")


if __name__ == "__main__":
    sys.exit(main())
