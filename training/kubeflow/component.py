"""What runs inside a component: one step, from folders that Kubeflow brings to one that it takes away."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

from training.recipe import recipe_with
from training.steps.cache import run_whole
from training.steps.plan import STEPS
from training.steps.step import Inputs


def run_step(
    name: str,
    data: str,
    recipe: Mapping[str, float],
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
        UnusableData: no such number in the recipe; whatever else the step refuses with.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    needed = {need: Path(folder) for need, folder in folders.items()}
    # A pod that is begun again has nothing of the one before, so checkpoints are of no use here.
    with tempfile.TemporaryDirectory(prefix="partial-") as partial:
        numbers = recipe_with(_numbers(recipe), "recipe")
        run_whole(STEPS[name], Inputs(Path(data), numbers, version, needed, Path(partial)), Path(output))


def _numbers(recipe: Mapping[str, float]) -> dict[str, float]:
    """Kubeflow's numbers are all floats; whole ones are what they were.

    >>> _numbers({"seed": 3.0, "lexical_rate": 0.002})
    {'seed': 3, 'lexical_rate': 0.002}
    """
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in recipe.items()
    }
