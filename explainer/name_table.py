"""Names as rows of numbers, for explainers that want a table: lexical features, then who lends the text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from contract.feature_schema import DOMAIN_NODE, LEXICAL_FEATURES, NODE_FEATURES
from contract.graphs import DomainGraphs
from contract.ragged import offsets_of
from explainer.name_text import written
from explainer.perturbation import NameSet
from explainer.traits import TEXTS, TRAIT_OF_FEATURE, TRAITS

# A text part is a number to such explainers: the row of the name that it is taken from.
COLUMNS = (*LEXICAL_FEATURES, *(f"{text}_text" for text in TEXTS))


def columns_of_trait(trait: int) -> tuple[int, ...]:
    """The columns that belong together: a trait's features and its text."""
    features = np.flatnonzero(trait == TRAIT_OF_FEATURE).tolist()
    text = TRAITS[trait].text
    return (*features, *([len(LEXICAL_FEATURES) + TEXTS.index(text)] if text else []))


@dataclass(frozen=True)
class NameTable:
    """Some names, and the graphs of rows made of parts of them; all without neighbours."""

    names: NameSet

    def rows(self) -> Float[np.ndarray, "names columns"]:
        """Every name as it is."""
        texts = np.repeat(np.arange(len(self.names.parts))[:, None], len(TEXTS), axis=1)
        return np.concatenate([self.names.features, texts], axis=1).astype(np.float64)

    def graphs(self, rows: Float[np.ndarray, "rows columns"]) -> DomainGraphs:
        """One lone name a row."""
        lenders = rows[:, len(LEXICAL_FEATURES) :].astype(np.int64).tolist()
        texts = [written(self._parts(*each)) for each in lenders]
        features = np.zeros((len(rows), len(NODE_FEATURES)), np.float32)
        features[:, : len(LEXICAL_FEATURES)] = rows[:, : len(LEXICAL_FEATURES)]
        count = np.arange(len(rows) + 1)
        return DomainGraphs(
            node_features=features,
            node_type=np.full(len(rows), DOMAIN_NODE),
            name_bytes=np.frombuffer(b"".join(name for name, _, _ in texts), np.uint8),
            name_offsets=offsets_of(np.array([len(name) for name, _, _ in texts], np.int64)),
            name_parts=np.array([bounds for _, *bounds in texts], np.int64),
            edge_index=np.zeros((2, 0), np.int64),
            edge_type=np.zeros(0, np.int64),
            node_offsets=count,
            edge_offsets=np.zeros(len(rows) + 1, np.int64),
            target_nodes=count[:-1],
        )

    def _parts(self, subdomain: int, label: int, suffix: int) -> tuple[bytes, bytes, bytes]:
        parts = self.names.parts
        return parts[subdomain][0], parts[label][1], parts[suffix][2]
