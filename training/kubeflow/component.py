"""What runs inside a component: one step, from folders that Kubeflow brings to one that it takes away."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from training.recipe import recipe_with
from training.steps.cache import data_files, run_whole
from training.steps.plan import STEPS
from training.steps.step import Inputs, Step

# KFP reads a component's inputs from a function's signature and sends its source along, so every step needs a
# function of its own. What it does is said once, in `run_step`.
_SOURCE: Final = """\
def {name}({artifacts}result: Output[Artifact], data: str, recipe: dict, version: str):
    from training.kubeflow.component import run_step

    run_step("{name}", data, recipe, version, {{{folders}}}, result.path)
"""


def source_of(step: Step) -> str:
    """The function that KFP sends to a step's container.

    >>> print(source_of(Step("split", print, needs=("load",))).splitlines()[0])
    def split(load: Input[Artifact], result: Output[Artifact], data: str, recipe: dict, version: str):
    """
    return _SOURCE.format(
        name=step.name,
        artifacts="".join(f"{need}: Input[Artifact], " for need in step.needs),
        folders=", ".join(f'"{need}": {need}.path' for need in step.needs),
    )


def run_step(
    name: str,
    data: str,
    recipe: Mapping[str, float | int],
    version: str,
    folders: Mapping[str, str],
    output: str,
) -> None:
    """Run one step of the plan, as `Workshop` runs it.

    Args:
        name: of the step.
        data: folder of the data files, mounted where the step reads any.
        recipe: the numbers that differ from the recipe's own.
        version: of the model.
        folders: where the results of the needed steps lie, by their names.
        output: the folder to make.

    Raises:
        UnusableData: a data file is missing, or no such number in the recipe; whatever else the step
            refuses with.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    data_files(STEPS[name], Path(data))
    needed = {need: Path(folder) for need, folder in folders.items()}
    # A pod that is begun again has nothing of the one before, so checkpoints are of no use here.
    with tempfile.TemporaryDirectory(prefix="partial-") as partial:
        numbers = recipe_with(_numbers(recipe), "recipe")
        run_whole(STEPS[name], Inputs(Path(data), numbers, version, needed, Path(partial)), Path(output))


def _numbers(recipe: Mapping[str, float | int]) -> dict[str, float | int]:
    """Kubeflow's numbers are all floats; whole ones are what they were.

    >>> _numbers({"seed": 3.0, "lexical_rate": 0.002})
    {'seed': 3, 'lexical_rate': 0.002}
    """
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in recipe.items()
    }
