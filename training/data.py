"""The labelled names and the labelled graph, read and split; formats as in the data's own README."""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from contract.tensors import CATEGORIES

TRAIN_NAMES: Final = "domains_train.csv.gz"
TEST_NAMES: Final = "domains_public_test.csv.gz"
IDN_NAMES: Final = "idn_public_test.csv.gz"
GRAPH_NODES: Final = "graph_nodes.csv.gz"
GRAPH_EDGES: Final = "graph_edges.csv.gz"

BENIGN: Final = CATEGORIES.index("benign")
DGA: Final = CATEGORIES.index("dga")
PHISHING: Final = CATEGORIES.index("phishing")
# Labels of the graph say malicious, not which kind.
ANY_MALICE: Final = -1
UNLABELLED: Final = -2


class UnusableData(Exception):
    """A training file is missing or not of its documented format."""


@dataclass(frozen=True, slots=True)
class LabelledNames:
    """Names with what is known of them, one entry per row.

    Fields:
        category  index into CATEGORIES
        quality   "strong", "medium" or "weak"
        held_out  whether the row is for validation
    """

    domains: list[str]
    category: np.ndarray
    family: np.ndarray
    source: np.ndarray
    first_seen: np.ndarray
    quality: np.ndarray

    @property
    def malicious(self) -> np.ndarray:
        return np.asarray(self.category != BENIGN)

    @property
    def strong(self) -> np.ndarray:
        """Rows of the headline figures: all but benign rows of weak quality."""
        return np.asarray(self.malicious | (self.quality != "weak"))

    def at(self, rows: np.ndarray) -> LabelledNames:
        """Some rows: a mask, or their numbers."""
        return LabelledNames(
            [self.domains[row] for row in np.arange(len(self.domains))[rows]],
            *(column[rows] for column in (self.category, self.family, self.source)),
            *(column[rows] for column in (self.first_seen, self.quality)),
        )


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a gzip-compressed CSV with a header.

    Raises:
        UnusableData: no such file, or not gzip.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableData(f"{path}: {error}: expected a gzip-compressed CSV file") from error


def read_names(path: Path) -> LabelledNames:
    """Read a file of labelled names.

    Raises:
        UnusableData: a missing column or an unknown category, with the row's number.
    """
    columns: dict[str, list[str]] = {
        name: [] for name in ("domain", "category", "family", "source", "first_seen", "label_quality")
    }
    for number, row in enumerate(rows(path), start=2):
        for name, column in columns.items():
            value = row.get(name)
            if value is None:
                raise UnusableData(f"{path}:{number}: no column {name!r}")
            column.append(value)
        if row["category"] not in CATEGORIES:
            raise UnusableData(f"{path}:{number}: category {row['category']!r} is none of {CATEGORIES}")
    return LabelledNames(
        columns["domain"],
        np.array([CATEGORIES.index(category) for category in columns["category"]]),
        np.array(columns["family"]),
        np.array(columns["source"]),
        np.array(columns["first_seen"]),
        np.array(columns["label_quality"]),
    )


@dataclass(frozen=True, slots=True)
class LabelledGraph:
    """The labelled passive-DNS graph.

    Fields:
        domains  names of the domain nodes
        label    1 malicious, 0 benign, UNLABELLED where hidden
        split    "train", "val", "public_test" or "hidden"
        resolves (domain, address) pairs; addresses are stable private stand-ins of anonymous nodes
    """

    domains: list[str]
    label: np.ndarray
    split: np.ndarray
    resolves: list[tuple[str, str]]


def read_graph(nodes_path: Path, edges_path: Path) -> LabelledGraph:
    """Read the graph; its other relations are derived from names by the graph store itself.

    Raises:
        UnusableData: a file is missing or not of its format.
    """
    name_of: dict[str, str] = {}
    domains, label, split = [], [], []
    for node in rows(nodes_path):
        is_domain = node["type"] == "domain"
        name_of[node["id"]] = node["name"] if is_domain else private_address(int(node["id"]))
        if is_domain:
            domains.append(node["name"])
            label.append(int(node["label"]) if node["label"] else UNLABELLED)
            split.append(node["split"])
    resolves = [
        (name_of[edge["src"]], name_of[edge["dst"]])
        for edge in rows(edges_path)
        if edge["type"] == "resolves"
    ]
    return LabelledGraph(domains, np.array(label), np.array(split), resolves)


def private_address(node: int) -> str:
    """A stable address of 10.0.0.0/8 for an anonymous node.

    >>> private_address(70000)
    '10.1.17.112'
    """
    return f"10.{node >> 16 & 255}.{node >> 8 & 255}.{node & 255}"


def sha256(path: Path) -> str:
    """The fingerprint of a training file, as the model's configuration keeps it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stable_share(text: str) -> float:
    """A number in [0, 1) that depends on the text alone, to split by.

    >>> stable_share("example.com") == stable_share("example.com")
    True
    """
    return zlib.crc32(text.encode()) / 2**32
