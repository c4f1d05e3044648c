"""The rows that an evaluation asks for: all of them, or few enough to see in a minute that it works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from training.baselines import EPOCHS, SEEDS
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
    sha256,
)
from training.evaluation.intervals import RESAMPLES
from training.evaluation.robustness import Changed, changed_names

FILES: Final = (TRAIN_NAMES, TEST_NAMES, IDN_NAMES, GRAPH_NODES, GRAPH_EDGES)
# What figures are reported of, and what their thresholds are chosen by.
JUDGED: Final = "public_test"
CHOOSING: Final = "val"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked.

    Fields:
        test, train  names; None for all there are
        changed      names of each kind of change
        ablation     names without evidence whose parts are taken away
        resamples    of the bootstrap
        seeds, epochs  of the graph baseline
    """

    test: int | None = None
    train: int | None = None
    changed: int = 3000
    ablation: int = 4000
    resamples: int = RESAMPLES
    seeds: int = SEEDS
    epochs: int = EPOCHS

    @property
    def sampled(self) -> bool:
        """Whether rows are left out."""
        return self.test is not None or self.train is not None


FULL: Final = Size()
QUICK: Final = Size(test=3000, train=12_000, changed=200, ablation=300, resamples=40, seeds=1, epochs=20)


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows of the data files.

    Fields:
        families    generator families of any training row, also of those that are not asked for
        graph_rows  domains of the graph that are judged or chosen by
        digests     SHA-256 of each data file
    """

    train: LabelledNames
    families: frozenset[str]
    test: LabelledNames
    idn: LabelledNames
    changed: dict[str, Changed]
    graph: LabelledGraph
    graph_rows: np.ndarray
    digests: dict[str, str]

    @property
    def graph_domains(self) -> list[str]:
        return [self.graph.domains[row] for row in self.graph_rows]


def read_samples(data: Path, size: Size) -> Samples:
    """Read what an evaluation of this size needs.

    Raises:
        UnusableData: a data file is missing or not of its format.
    """
    test = _part(read_names(data / TEST_NAMES), size.test)
    train = read_names(data / TRAIN_NAMES)
    graph = read_graph(data / GRAPH_NODES, data / GRAPH_EDGES)
    return Samples(
        train=_part(train, size.train),
        families=frozenset(map(str, np.unique(train.family))),
        test=test,
        idn=read_names(data / IDN_NAMES),
        changed=changed_names(test, size.changed),
        graph=graph,
        graph_rows=np.flatnonzero(np.isin(graph.split, [JUDGED, CHOOSING])),
        digests={name: sha256(data / name) for name in FILES},
    )


def _part(names: LabelledNames, most: int | None) -> LabelledNames:
    if most is None or most >= len(names.domains):
        return names
    rng = np.random.default_rng(0)
    return names.at(np.sort(rng.choice(len(names.domains), most, replace=False)))
