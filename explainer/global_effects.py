"""What a model listens to over many names, by Alibi: permutation importance of traits, ALE of features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from alibi.explainers import ALE, PermutationImportance
from jaxtyping import Bool, Float

from contract.feature_scales import in_units
from contract.feature_schema import LEXICAL_FEATURES
from explainer.name_table import COLUMNS, columns_of_trait
from explainer.traits import TRAITS

Predict = Callable[[np.ndarray], np.ndarray]

REPEATS: Final = 10
# Features of the effect plots: those that a person can set a number to, most telling traits first.
EFFECTS: Final = (
    "trigram_surprisal_mean",
    "name_entropy_bits",
    "label_length",
    "name_length",
    "label_digit_share",
    "name_hyphens",
    "word_coverage",
    "lure_words",
    "brand_words",
    "subdomain_length",
    "label_count",
    "suffix_is_abused",
)


@dataclass(frozen=True, slots=True)
class Importance:
    """How much the AUC falls when a trait is exchanged between names: mean and standard deviation."""

    trait: str
    fall: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Effect:
    """The accumulated local effect of a feature on the risk score, centred; values in the feature's unit."""

    feature: str
    values: list[float]
    effects: list[float]


def importances(
    predict: Predict, rows: Float[np.ndarray, "rows columns"], malicious: Bool[np.ndarray, " rows"], seed: int
) -> list[Importance]:
    """Permutation importance of whole traits (Breiman 2001; Fisher et al., JMLR 2019), largest first."""
    np.random.seed(seed)  # noqa: NPY002 - the state that Alibi draws from
    explainer = PermutationImportance(predict, score_fns="roc_auc", feature_names=list(COLUMNS))
    groups = [columns_of_trait(trait) for trait in range(len(TRAITS))]
    found = explainer.explain(
        rows, malicious.astype(int), features=groups, kind="difference", n_repeats=REPEATS
    )
    measured = [
        Importance(trait.name, float(entry["mean"]), float(entry["std"]))
        for trait, entry in zip(TRAITS, found.data["feature_importance"][0], strict=True)
    ]
    return sorted(measured, key=lambda importance: -importance.fall)


def effects(
    predict: Predict, rows: Float[np.ndarray, "rows columns"], features: Sequence[str] = EFFECTS
) -> list[Effect]:
    """ALE (Apley and Zhu, JRSS B 2020) of single features, the text and all others left as they are."""
    explainer = ALE(predict, feature_names=list(COLUMNS), target_names=["risk"])
    places = [LEXICAL_FEATURES.index(feature) for feature in features]
    found = explainer.explain(rows, features=places, min_bin_points=max(4, len(rows) // 50))
    return [_effect(feature, found, place) for place, feature in enumerate(features)]


def _effect(feature: str, found: Any, place: int) -> Effect:
    values = [in_units(feature, float(value)) for value in found.feature_values[place]]
    return Effect(feature, values, [float(effect) for effect in found.ale_values[place][:, 0]])
