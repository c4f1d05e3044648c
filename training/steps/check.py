"""Refuse data whose figures would lie; say what is in the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from training.checks import (
    Finding,
    check_apart,
    check_classes,
    check_graph,
    check_rows,
    refuse,
    summary,
)
from training.data import GRAPH_NODES, IDN_NAMES, TEST_NAMES, TRAIN_NAMES, LabelledNames
from training.steps.load import loaded_graph, loaded_names, training_names
from training.steps.step import Inputs, Step


def _run(inputs: Inputs, output: Path) -> None:
    folder = inputs.folders["load"]
    names = training_names(folder)
    refuse(_findings(folder, names))
    (output / "summary.json").write_text(json.dumps(summary(names), indent=1) + "\n")


def _findings(folder: Path, names: LabelledNames) -> Iterator[Finding]:
    yield from check_rows(names, TRAIN_NAMES)
    yield from check_classes(names, TRAIN_NAMES)
    yield from check_graph(loaded_graph(folder), names, TRAIN_NAMES, GRAPH_NODES)
    for part, file in (("test", TEST_NAMES), ("idn", IDN_NAMES)):
        judged = loaded_names(folder, part)
        if judged is not None:
            yield from check_rows(judged, file)
            # Internationalised names are few, and their test is of names alone, from all times.
            yield from check_apart(names, judged, TRAIN_NAMES, file, dated=part == "test")


CHECK: Final = Step("check", _run, needs=("load",))
