"""One domain's explanation beside the game it explains, scored coalition by coalition by the predictor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from explainer.background import Background
from explainer.mask_game import MaskGame
from explainer.perturbation import EgoGraph
from explainer.players import players_of
from training.explanation_quality import coalitions
from training.served import GRAPHS_A_REQUEST, Explanations, ServedModel

# The worth of all coalitions of more players takes too long.
MOST_PLAYERS: Final = 12


@dataclass(frozen=True, slots=True)
class ExplainedGame:
    """An explanation as it was answered.

    Fields:
        contributions  by player, as answered
        worth          the score of every coalition of these players; None where there are too many
    """

    answer: dict[str, Any]
    contributions: dict[str, float]
    worth: Float[np.ndarray, " coalitions"] | None

    @property
    def values(self) -> Float[np.ndarray, " players"]:
        """The contributions in the order of the game's players."""
        return np.array(list(self.contributions.values()))


def explained_game(
    served: ServedModel, explanations: Explanations, background: Background, domain: str
) -> ExplainedGame:
    """Explain a domain, and play its game without Alibi and without the explainer service."""
    answer = explanations.explain(domain)
    graph, labels = served.features([domain])
    reference = background.names[background.config.reference]
    ego = EgoGraph.of(graph)
    players = players_of(ego, labels, reference)
    contributions = contributions_of(answer)
    ordered = {player.key: contributions[player.key] for player in players}
    worth = None
    if len(players) <= MOST_PLAYERS:
        worth = _worth(served, MaskGame(ego, players, reference))
    return ExplainedGame(answer, ordered, worth)


def contributions_of(answer: dict[str, Any]) -> dict[str, float]:
    """The contributions of an answer by player."""
    return {entry["player"]: float(entry["contribution"]) for entry in answer["contributions"]}


def _worth(served: ServedModel, game: MaskGame) -> Float[np.ndarray, " coalitions"]:
    masks = coalitions(len(game.players))
    parts = [
        served.risk(game.graphs(masks[first : first + GRAPHS_A_REQUEST]))
        for first in range(0, len(masks), GRAPHS_A_REQUEST)
    ]
    return np.concatenate(parts).astype(np.float64)
