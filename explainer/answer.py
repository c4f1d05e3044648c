"""Explanations as the JSON that docs/explanation.schema.json describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.feature_schema import FEATURE_SCHEMA, NODE_TYPES, RELATIONS, reverse_of
from explainer.features import DomainFeatures
from explainer.options import ExplainOptions
from explainer.perturbation import EgoGraph
from explainer.players import Player
from explainer.rules import Predicate, Rule
from explainer.shapley import Attribution, rounded
from explainer.verdict import Thresholds
from explainer.wording import Scored, anchor_summary, shap_summary

# Scores and contributions are answered to so many digits. Joined with other requests, the predictor's sums
# differ in the seventh; the same request must give the same answer.
DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """What is explained: one domain, where its graph comes from, and which versions speak."""

    features: DomainFeatures
    ego: EgoGraph
    snapshot: str
    model_version: str
    explainer_version: str

    @property
    def domain(self) -> str:
        """The name as the model reads it: lower case, internationalised labels as xn--."""
        return self.features.labels[0]


def shap_answer(
    subject: Subject,
    options: ExplainOptions,
    thresholds: Thresholds,
    players: Sequence[Player],
    attribution: Attribution,
    name_score: float,
) -> dict[str, Any]:
    """The explanation by Shapley values, largest contribution first."""
    base, score, contributions = rounded(attribution, DIGITS)
    reasons = sorted(zip(players, contributions, strict=True), key=lambda reason: -abs(reason[1]))
    verdict = thresholds.verdict(attribution.score, name_score)
    scored = Scored(subject.domain, score, round(name_score, DIGITS), verdict)
    return _common(subject, options, thresholds, scored, shap_summary(scored, base, reasons)) | {
        "base_value": base,
        "exact": attribution.exact,
        "contributions": [_contribution(player, gain) for player, gain in reasons],
    }


def anchor_answer(
    subject: Subject,
    options: ExplainOptions,
    thresholds: Thresholds,
    score: float,
    name_score: float,
    rule: Rule,
) -> dict[str, Any]:
    """The explanation by a rule that keeps the action."""
    verdict = thresholds.verdict(score, name_score)
    scored = Scored(subject.domain, round(score, DIGITS), round(name_score, DIGITS), verdict)
    conditions = [predicate.text for predicate in rule.predicates]
    summary = anchor_summary(scored, conditions, rule.precision, options.precision, met=rule.met)
    return _common(subject, options, thresholds, scored, summary) | {
        "rule": [_condition(predicate) for predicate in rule.predicates],
        "precision": _rounded(rule.precision),
        "precision_wanted": options.precision,
        "coverage": _rounded(rule.coverage),
        "met": rule.met,
        "truncated": rule.truncated,
    }


def _common(
    subject: Subject, options: ExplainOptions, thresholds: Thresholds, scored: Scored, summary: str
) -> dict[str, Any]:
    return {
        "domain": subject.domain,
        "status": subject.features.status,
        "method": options.method,
        "seed": options.seed,
        "model_version": subject.model_version,
        "explainer_version": subject.explainer_version,
        "feature_schema": FEATURE_SCHEMA,
        "graph_snapshot": subject.snapshot,
        "score": scored.score,
        "name_score": scored.name_score,
        "action": scored.verdict.action,
        "threshold": _rounded(scored.verdict.threshold),
        "thresholds": {"monitor": _rounded(thresholds.monitor), "block": _rounded(thresholds.block)},
        "summary": summary,
    }


def _contribution(player: Player, gain: float) -> dict[str, Any]:
    return {
        "player": player.key,
        "kind": player.kind,
        "relation": player.relation,
        "value": player.value,
        "text": player.text,
        "contribution": gain,
    }


def _condition(predicate: Predicate) -> dict[str, Any]:
    return {
        "player": predicate.column.player.key,
        "text": predicate.text,
        "low": predicate.low,
        "high": predicate.high,
        "value": predicate.value,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def graph_answer(subject: Subject, neighbours: Sequence[Player]) -> Mapping[str, Any]:
    """The ego-graph with each node's players; every edge once, in the direction of its relation."""
    graph = subject.ego.graph
    players: dict[int, list[str]] = {}
    for player, node in zip(neighbours, subject.ego.link_nodes.tolist(), strict=True):
        players.setdefault(node, []).append(player.key)
    types = graph.node_type.tolist()
    nodes = [
        {"label": label, "type": NODE_TYPES[types[node]], "players": players.get(node, [])}
        for node, label in enumerate(subject.features.labels)
    ]
    ends = zip(graph.edge_type.tolist(), *graph.edge_index.tolist(), strict=True)
    edges = [
        {"source": source, "target": target, "relation": RELATIONS[relation]}
        for relation, source, target in ends
        if _is_forward(RELATIONS[relation], source, target)
    ]
    return {"nodes": nodes, "edges": edges}


def _is_forward(relation: str, source: int, target: int) -> bool:
    # Looking alike goes both ways.
    return source < target if reverse_of(relation) == relation else not relation.endswith("_rev")
