"""Rules tried on names that the explainer has never seen: those of the public test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float, Int64

from contract.feature_scales import in_units
from contract.feature_schema import LEXICAL_FEATURES
from explainer.perturbation import OWN, EgoGraph, NameSet
from explainer.players import neighbours_of
from explainer.traits import TRAITS
from explainer.verdict import Thresholds
from training.served import ServedModel

# Variations that each rule is tried on.
VARIATIONS: Final = 256

Rule = Sequence[dict[str, Any]]


def holds_for_itself(answer: dict[str, Any]) -> bool:
    """Whether the domain satisfies its own rule."""
    numbers = [condition for condition in answer["rule"] if condition["value"] is not None]
    return all(_inside(condition, np.array([condition["value"]]))[0] for condition in numbers)


class HeldOutNames:
    """Names that lend their traits when a rule is tried."""

    def __init__(self, served: ServedModel, names: Sequence[str], rng: np.random.Generator) -> None:
        graphs, _ = served.features(names)
        self._names = NameSet.of_targets(graphs)
        self._served = served
        self._rng = rng

    def precision(self, domain: str, answer: dict[str, Any]) -> float:
        """The share of fresh variations within the rule whose action is the domain's."""
        graph, labels = self._served.features([domain])
        ego = EgoGraph.of(graph)
        rule = {condition["player"]: condition for condition in answer["rule"]}
        keys = [player.key for player in neighbours_of(ego, labels)]
        varied = ego.perturbed(self._names, self._sources(rule), self._kept(keys, rule))
        kept = Thresholds(**answer["thresholds"]).keep(answer["action"], self._served.risks(varied))
        return float(kept.mean())

    def _sources(self, rule: dict[str, dict[str, Any]]) -> Int64[np.ndarray, "variations traits"]:
        columns = [self._lenders(place, rule.get(trait.name)) for place, trait in enumerate(TRAITS)]
        return np.stack(columns, axis=1)

    def _lenders(self, trait: int, condition: dict[str, Any] | None) -> Int64[np.ndarray, " variations"]:
        everybody = np.arange(len(self._names.parts))
        if condition is None:
            return self._rng.choice(everybody, VARIATIONS)
        if condition["value"] is None:
            return np.full(VARIATIONS, OWN)
        headline = TRAITS[trait].headline
        numbers = self._names.features[:, LEXICAL_FEATURES.index(headline)] * in_units(headline, 1.0)
        fitting = np.flatnonzero(_inside(condition, numbers))
        return self._rng.choice(fitting, VARIATIONS) if len(fitting) else np.full(VARIATIONS, OWN)

    def _kept(
        self, neighbours: Sequence[str], rule: dict[str, dict[str, Any]]
    ) -> Bool[np.ndarray, "variations links"]:
        kept = self._rng.random((VARIATIONS, len(neighbours))) < 0.5
        kept[:, [place for place, key in enumerate(neighbours) if key in rule]] = True
        return kept


def _inside(condition: dict[str, Any], numbers: Float[np.ndarray, " names"]) -> Bool[np.ndarray, " names"]:
    low = -np.inf if condition["low"] is None else condition["low"]
    high = np.inf if condition["high"] is None else condition["high"]
    return np.asarray((numbers > low) & (numbers <= high))
