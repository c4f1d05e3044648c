"""What a rule speaks of: named columns of one domain, and the graph that a row of them stands for.

A row takes every trait either from the domain itself or from some background name. Number columns say which
background name by the value itself, so that a rule like "digit ratio > 0.3" lets any such name's digits in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, Int64

from contract.feature_scales import in_units
from contract.feature_schema import LEXICAL_FEATURES
from contract.graphs import DomainGraphs
from explainer.perturbation import OWN, EgoGraph, NameSet
from explainer.players import Player
from explainer.traits import TRAITS

# Of the examples, how many keep a trait or neighbour whose absence is possible. A trait seldom: the rule is
# about names that are otherwise any others. A neighbour half the time: there is no usual answer.
OWN_SHARE: Final = 0.1
PRESENT_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Column:
    """One named feature that a rule may fix: a number by an interval, a player by being as it is here."""

    player: Player
    measure: str = ""

    @property
    def is_number(self) -> bool:
        return bool(self.measure)


class RuleGame:
    """One domain as columns; number columns come first, as Alibi wants them.

    Attributes:
        columns   what there is
        instance  the domain's own row: its numbers, and 1 for every player
        examples  rows that rules are tried on, the domain's own among them; drawn from numpy's global state
    """

    def __init__(self, ego: EgoGraph, players: Sequence[Player], background: NameSet) -> None:
        self._ego = ego
        self._background = background
        # The domain's own name is the last row of those that traits are taken from.
        features = np.concatenate([background.features, ego.own.features]).astype(np.float64)
        self._numbers = {
            place: features[:, LEXICAL_FEATURES.index(trait.headline)] * in_units(trait.headline, 1.0)
            for place, trait in enumerate(TRAITS)
            if trait.headline
        }
        self._by_number = {
            place: np.argsort(column, kind="stable") for place, column in self._numbers.items()
        }
        numbers = [player for player in players if player.kind == "name" and TRAITS[player.place].headline]
        self.columns = [
            *(Column(player, TRAITS[player.place].measure) for player in numbers),
            *(Column(player) for player in players),
        ]
        self.instance = np.array(
            [self._numbers[column.player.place][-1] if column.is_number else 1.0 for column in self.columns]
        )
        self.examples = self._examples()

    def _examples(self) -> Float[np.ndarray, "rows columns"]:
        names = len(self._background.parts)
        drawn = [self._example_column(column, names) for column in self.columns]
        return np.concatenate([np.stack(drawn, axis=1), self.instance[None]])

    def _example_column(self, column: Column, names: int) -> Float[np.ndarray, " names"]:
        place = column.player.place
        if column.is_number:
            return self._numbers[place][:-1]
        if column.player.kind == "neighbour":
            return (np.random.random(names) < PRESENT_SHARE).astype(float)  # noqa: NPY002 - see random_turn
        kept = np.random.random(names) < OWN_SHARE  # noqa: NPY002 - see random_turn
        return (kept | self._ego.own.shares(self._background, place)).astype(float)

    def graphs(self, rows: Float[np.ndarray, "rows columns"]) -> DomainGraphs:
        """One graph for each row; what a row leaves open is drawn from numpy's global state."""
        sources = self._any_names(len(rows))
        kept = np.ones((len(rows), self._ego.link_count), bool)
        # Number columns come first, so that a trait kept as it is overrides the number it was drawn by.
        for column, values in zip(self.columns, rows.T, strict=True):
            place = column.player.place
            if column.is_number:
                sources[:, place] = self._names_with(place, values)
            elif column.player.kind == "neighbour":
                kept[:, place] = values == 1
            else:
                sources[values == 1, place] = OWN
        return self._ego.perturbed(self._background, sources, kept)

    def _any_names(self, rows: int) -> Int64[np.ndarray, "rows traits"]:
        return np.random.randint(0, len(self._background.parts), (rows, len(TRAITS)))  # noqa: NPY002 - see random_turn

    def _names_with(self, trait: int, values: Float[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
        """For each value a name that has it, by chance where several have."""
        order = self._by_number[trait]
        numbers = self._numbers[trait][order]
        first = np.searchsorted(numbers, values, "left")
        last = np.searchsorted(numbers, values, "right")
        chosen = first + (np.random.random(len(values)) * (last - first)).astype(np.int64)  # noqa: NPY002 - as above
        names = order[np.minimum(chosen, len(order) - 1)]
        return np.where(names == len(self._background.parts), OWN, names)
