"""Names as rows: what goes in comes out, and parts can be exchanged."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from contract.feature_schema import GRAPH_FEATURES, LEXICAL_FEATURES
from contract.graph_checks import validate
from explainer.name_table import COLUMNS, NameTable, columns_of_trait
from explainer.perturbation import NameSet
from explainer.traits import TRAITS
from transformer.featurize import featurize
from transformer.graph_store import Snapshot

NAMES = ["www.example.co.uk", "xn--bcher-kva.de", "printer.lan", "co.uk", "a-b.c_d.top"]


def lone_names() -> NameTable:
    graphs = featurize(Snapshot.empty(), NAMES).graphs
    assert graphs is not None
    return NameTable(NameSet.of_targets(graphs))


def test_rows_stand_for_the_names_they_came_from() -> None:
    """The graphs of unchanged rows are those that the featurizer cuts for the names, but for float width."""
    table = lone_names()
    graphs, expected = table.graphs(table.rows()), featurize(Snapshot.empty(), NAMES).graphs
    validate(graphs)
    assert expected is not None
    for name, array in expected.tensors().items():
        np.testing.assert_array_equal(graphs.tensors()[name], array)
    assert (graphs.node_features[:, -len(GRAPH_FEATURES) :] == 0).all()


def test_a_text_column_is_whose_text_it_is() -> None:
    """With another row's number in it, a name gets that name's part."""
    table = lone_names()
    rows = table.rows()
    rows[0, COLUMNS.index("suffix_text")] = 4
    rows[1, COLUMNS.index("label_text")] = 2
    graphs = table.graphs(rows)
    ends = graphs.name_offsets
    texts = [graphs.name_bytes[first:last].tobytes() for first, last in pairwise(ends)]
    assert texts[:2] == [b"www.example.top", b"printer.lan.de"]
    validate(graphs)


def test_traits_divide_the_columns() -> None:
    """Every column belongs to exactly one trait."""
    owned = [column for trait in range(len(TRAITS)) for column in columns_of_trait(trait)]
    assert sorted(owned) == list(range(len(COLUMNS)))
    assert len(COLUMNS) == len(LEXICAL_FEATURES) + 3
