"""The mask game behind Shapley values: a coalition of players is one perturbed graph.

An absent neighbour loses its edge, an absent trait becomes that of the reference name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from contract.graphs import DomainGraphs
from explainer.perturbation import OWN, EgoGraph, NameSet
from explainer.players import Player
from explainer.traits import TRAITS


@dataclass(frozen=True)
class MaskGame:
    """One domain's players, and the name that stands in for what is absent."""

    ego: EgoGraph
    players: Sequence[Player]
    reference: NameSet

    def graphs(self, masks: Bool[np.ndarray, "rows players"]) -> DomainGraphs:
        """One graph for each coalition."""
        kept = np.ones((len(masks), self.ego.link_count), bool)
        sources: Int64[np.ndarray, "rows traits"] = np.full((len(masks), len(TRAITS)), OWN)
        for column, player in enumerate(self.players):
            if player.kind == "neighbour":
                kept[:, player.place] = masks[:, column]
            else:
                sources[:, player.place] = np.where(masks[:, column], OWN, 0)
        return self.ego.perturbed(self.reference, sources, kept)
