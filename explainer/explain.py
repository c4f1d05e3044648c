"""One explanation from beginning to end: a computation that only waits for scores."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from contract.policy import Policy
from explainer.answer import Subject, anchor_answer, graph_answer, shap_answer
from explainer.background import Background
from explainer.mask_game import MaskGame
from explainer.options import ExplainOptions
from explainer.players import neighbours_of, players_of, traits_of
from explainer.random_turn import random_turn
from explainer.rule_game import RuleGame
from explainer.rules import Bounds, find_rule
from explainer.scoring import CallSize, Scoring
from explainer.shapley import attribute
from explainer.traits import TRAITS
from explainer.verdict import Thresholds
from serving.deadline import Deadline

# What is left of the caller's time when the search for a rule ends: to answer with the best one so far.
_ANSWER_S = 0.1
# Of its share of the caller's time a search takes so much, as others may be slower than it.
_OWN_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one explanation; see the settings of the same names."""

    exact_rows: int
    anchor_rows: int
    anchor_s: float
    anchor_conditions: int
    call: CallSize


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """Until when a request must be answered, and in how many rounds its explanations are made."""

    deadline: Deadline
    rounds: float
    began_with_s: float

    @classmethod
    def of(cls, deadline: Deadline, domains: int, workers: int) -> TimeLeft:
        """The time of a request that begins now."""
        return cls(deadline, max(1.0, domains / workers), deadline.remaining_s())

    def for_one_s(self) -> float:
        """Seconds that one explanation may take, so that the others come in time as well."""
        share_s = self.began_with_s / self.rounds
        if self.rounds > 1:
            share_s *= _OWN_SHARE
        return min(share_s, self.deadline.remaining_s()) - _ANSWER_S


class DomainExplainer:
    """Explains one domain at a time; any number of threads may call it."""

    def __init__(self, background: Background, limits: Limits) -> None:
        self._background = background
        self._limits = limits

    def explain(
        self, subject: Subject, policy: Policy, options: ExplainOptions, scoring: Scoring, time_left: TimeLeft
    ) -> dict[str, Any]:
        """The explanation of one domain, in the words of docs/explanation.schema.json.

        Blocks while scores are awaited; call it in a thread.

        Raises:
            RiskError: as `Scoring.risk`, and DeadlineExceeded where others took all the time.
        """
        began_s = time.perf_counter()
        with random_turn(options.seed, time_left.deadline.remaining_s()):
            if options.method == "shap":
                answer = self._shap(subject, policy, options, scoring)
            else:
                answer = self._anchor(subject, policy, options, scoring, time_left)
        if options.graph:
            answer["graph"] = graph_answer(subject, neighbours_of(subject.ego, subject.features.labels))
        answer["cost"] = {
            "predictor_calls": scoring.calls,
            "rows": scoring.rows,
            "milliseconds": round(1000 * (time.perf_counter() - began_s), 1),
        }
        return answer

    def _shap(
        self, subject: Subject, policy: Policy, options: ExplainOptions, scoring: Scoring
    ) -> dict[str, Any]:
        ego, limits = subject.ego, self._limits
        reference = self._background.names[self._background.config.reference]
        players = players_of(ego, subject.features.labels, reference)
        game = MaskGame(ego, players, reference)
        rows_a_call = limits.call.rows(ego.graph.node_count)

        alone: list[float] = []

        def worth(masks: np.ndarray) -> np.ndarray:
            risk, name_score = scoring.by_rows(masks, game.graphs, rows_a_call)
            # The domain as it is comes first, among the ends.
            alone.extend(name_score[masks.all(axis=1)].tolist())
            return risk

        attribution = attribute(worth, len(players), limits.exact_rows, options.samples, options.seed)
        thresholds = Thresholds.of(policy, scoring.parameters, subject.features.never_blocked)
        return shap_answer(subject, options, thresholds, players, attribution, alone[0])

    def _anchor(
        self, subject: Subject, policy: Policy, options: ExplainOptions, scoring: Scoring, time_left: TimeLeft
    ) -> dict[str, Any]:
        ego, limits = subject.ego, self._limits
        until_s = time.monotonic() + min(limits.anchor_s, time_left.for_one_s())
        score, alone = scoring.risks(ego.graph)[:, 0].tolist()
        thresholds = Thresholds.of(policy, scoring.parameters, subject.features.never_blocked)
        action = thresholds.verdict(score, alone).action
        players = [*neighbours_of(ego, subject.features.labels), *traits_of(ego.own, range(len(TRAITS)))]
        game = RuleGame(ego, players, self._background.names)
        rows_a_call = limits.call.rows(ego.graph.node_count)

        def same(rows: np.ndarray) -> np.ndarray:
            return thresholds.keep(action, scoring.by_rows(rows, game.graphs, rows_a_call))

        bounds = Bounds(limits.anchor_rows, until_s, limits.anchor_conditions)
        rule = find_rule(game, same, options.precision, bounds, options.seed)
        return anchor_answer(subject, options, thresholds, score, alone, rule)
