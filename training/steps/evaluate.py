"""Judge the version by what the running services answer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from training.data import GRAPH_EDGES, GRAPH_NODES, IDN_NAMES, TEST_NAMES, TRAIN_NAMES
from training.evaluation import report as reports
from training.evaluation.page import write_page
from training.evaluation.run import evaluate
from training.steps.step import Inputs, Step


def _run(inputs: Inputs, output: Path) -> None:
    report = evaluate(inputs.data, inputs.folders["calibrate"])
    reports.write(report, output)
    write_page(report, output)


EVALUATE: Final = Step(
    "evaluate",
    _run,
    needs=("calibrate",),
    files=(TRAIN_NAMES, TEST_NAMES, IDN_NAMES, GRAPH_NODES, GRAPH_EDGES),
)
