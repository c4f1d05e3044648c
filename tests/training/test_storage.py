from pathlib import Path

import numpy as np

from tests.graphs import random_graphs
from training.data import LabelledGraph, LabelledNames
from training.samples import Pool
from training.storage import load, save


def test_names_come_back(tmp_path: Path) -> None:
    """Lists of texts and columns of texts are what they were, also where they are empty."""
    names = LabelledNames(
        ["a.example", "xn--e1afmkfd.example"],
        np.array([0, 2]),
        *(
            np.array([text, other])
            for text, other in (("f", ""), ("s", "s"), ("", "2020-01-01"), ("strong", "weak"))
        ),
    )
    save(tmp_path / "names.npz", names)
    found = load(tmp_path / "names.npz", LabelledNames)
    assert found.domains == names.domains
    for column in ("category", "family", "source", "first_seen", "quality"):
        np.testing.assert_array_equal(getattr(found, column), getattr(names, column))


def test_pairs_come_back(tmp_path: Path) -> None:
    """The graph's pairs of texts, and a graph without any."""
    for pairs in ([("a.example", "10.0.0.1"), ("b.example", "10.0.0.2")], []):
        save(tmp_path / "graph.npz", LabelledGraph(["a"], np.array([1]), np.array(["val"]), pairs))
        assert load(tmp_path / "graph.npz", LabelledGraph).resolves == pairs


def test_graphs_come_back(tmp_path: Path) -> None:
    """A dataclass within a dataclass, with every array's type and values."""
    pool = Pool(random_graphs(np.random.default_rng(1), 5), np.arange(5), np.ones(5))
    save(tmp_path / "pool.npz", pool)
    found = load(tmp_path / "pool.npz", Pool)
    for name, array in pool.graphs.tensors().items():
        np.testing.assert_array_equal(found.graphs.tensors()[name], array)
        assert found.graphs.tensors()[name].dtype == array.dtype
    np.testing.assert_array_equal(found.weight, pool.weight)
