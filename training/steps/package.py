"""The version directory that services load: weights, configuration, background, card."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from predictor.checkpoint import load_config
from training.card import write_card
from training.steps.step import Inputs, Step

# Weights and configuration lie in the background's folder, whose files belong to them.
_PARTS: Final = ("background", "evaluate")


def _run(inputs: Inputs, output: Path) -> None:
    for part in _PARTS:
        shutil.copytree(inputs.folders[part], output, dirs_exist_ok=True)
    write_card(output, load_config(output))


PACKAGE: Final = Step("package", _run, needs=_PARTS)
