"""Samples to fit and to judge by, through the transformer's own featurizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from training.data import LabelledNames
from training.pools import decoy_pool, extra_pool, graph_pool, name_pool
from training.recipe import Recipe
from training.samples import Pool
from training.steps.load import loaded_graph, training_names
from training.steps.split import read_split
from training.steps.step import Inputs, Step
from training.storage import load, save


@dataclass(frozen=True, slots=True)
class Beside:
    """What is fitted beside the labelled rows, made from those rows alone.

    Fields:
        extra   generated, local and repeated names
        decoys  names in neighbourhoods that say nothing
    """

    extra: Pool
    decoys: Pool


@dataclass(frozen=True, slots=True)
class Samples:
    """Labelled samples, one entry per row.

    Fields:
        fitted       rows of `names` that are fitted while choosing
        validation   rows of `names` to choose by, fitted only once the choice is made
        strong       rows of the headline figures
        graph_split  "train", "val", "public_test", or "hidden" where the label is
    """

    names: Pool
    fitted: np.ndarray
    validation: np.ndarray
    strong: np.ndarray
    graph: Pool
    graph_split: np.ndarray


def _run(inputs: Inputs, output: Path) -> None:
    labels, split = training_names(inputs.folders["load"]), read_split(inputs.folders["split"])
    names, rows = name_pool(labels, inputs.recipe)
    graph, graph_split = graph_pool(loaded_graph(inputs.folders["load"]))
    fitted, validation = split.fitted[rows], split.validation[rows]
    samples = Samples(names, fitted, validation, labels.strong[rows], graph, graph_split)
    save(output / "samples.npz", samples)
    save(output / "beside_fitted.npz", _beside(labels, rows[fitted], inputs.recipe))
    save(output / "beside_all.npz", _beside(labels, rows, inputs.recipe))


def _beside(labels: LabelledNames, rows: np.ndarray, recipe: Recipe) -> Beside:
    return Beside(extra_pool(labels, rows, recipe), decoy_pool(labels, rows, recipe))


FEATURIZE: Final = Step("featurize", _run, needs=("load", "split"))


def read_samples(folder: Path) -> Samples:
    """The labelled samples."""
    return load(folder / "samples.npz", Samples)


def read_beside(folder: Path, *, every_row: bool) -> Beside:
    """What is fitted beside all rows, or beside those that are fitted while choosing."""
    return load(folder / ("beside_all.npz" if every_row else "beside_fitted.npz"), Beside)
