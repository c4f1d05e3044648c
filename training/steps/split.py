"""Set validation rows aside, by the rules by which the test was set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from training.checks import check_apart, refuse
from training.splits import Split, split_names
from training.steps.load import training_names
from training.steps.step import Inputs, Step
from training.storage import load, save

_FILE: Final = "split.npz"


def _run(inputs: Inputs, output: Path) -> None:
    names = training_names(inputs.folders["load"])
    split = split_names(names)
    fitted, judged = names.at(split.fitted), names.at(split.validation)
    refuse(check_apart(fitted, judged, "rows to fit", "validation rows"))
    save(output / _FILE, split)


def read_split(folder: Path) -> Split:
    """The split of the training names."""
    return load(folder / _FILE, Split)


SPLIT: Final = Step("split", _run, needs=("load", "check"))
