"""What explanations compare with: made-up names like those of the training files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from predictor.checkpoint import CONFIG_FILE, WEIGHTS_FILE
from training.background import write_background
from training.steps.load import training_names
from training.steps.step import Inputs, Step


def _run(inputs: Inputs, output: Path) -> None:
    for file in (CONFIG_FILE, WEIGHTS_FILE):
        shutil.copy(inputs.folders["calibrate"] / file, output)
    write_background(training_names(inputs.folders["load"]), output, inputs.recipe.seed)


BACKGROUND: Final = Step("background", _run, needs=("load", "calibrate"))
