"""Read the data files once, into arrays that the other steps open at once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from training.data import (
    GRAPH_EDGES,
    GRAPH_NODES,
    IDN_NAMES,
    TEST_NAMES,
    TRAIN_NAMES,
    LabelledGraph,
    LabelledNames,
    read_graph,
    read_names,
)
from training.steps.step import Inputs, Step
from training.storage import load, save

_NAMES: Final = {"train": TRAIN_NAMES, "test": TEST_NAMES, "idn": IDN_NAMES}


def _run(inputs: Inputs, output: Path) -> None:
    for part, file in _NAMES.items():
        if (inputs.data / file).exists():
            save(output / f"{part}.npz", read_names(inputs.data / file))
    save(output / "graph.npz", read_graph(inputs.data / GRAPH_NODES, inputs.data / GRAPH_EDGES))


LOAD: Final = Step(
    "load",
    _run,
    files=(TRAIN_NAMES, GRAPH_NODES, GRAPH_EDGES),
    optional_files=(TEST_NAMES, IDN_NAMES),
)


def loaded_names(folder: Path, part: str = "train") -> LabelledNames | None:
    """The names of one file, None where the run has no such file."""
    path = folder / f"{part}.npz"
    return load(path, LabelledNames) if path.exists() else None


def training_names(folder: Path) -> LabelledNames:
    """The names to train on."""
    return load(folder / "train.npz", LabelledNames)


def loaded_graph(folder: Path) -> LabelledGraph:
    """The labelled graph."""
    return load(folder / "graph.npz", LabelledGraph)
