"""The predictor as one explanation sees it: a function from perturbed graphs to risk, counted and bounded.

Explanations run in threads, the channel to the predictor belongs to the event loop; here they meet.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from contract.errors import CallerGone, DeadlineExceeded, FeatureSchemaMismatch
from contract.graphs import DomainGraphs
from contract.tensors import MODEL_VERSION_PARAMETER
from explainer.random_turn import others_turn
from explainer.verdict import Risks
from serving.deadline import Deadline
from serving.model import Parameters
from serving.predictor_client import PredictorClient
from serving.scored import Scored

# What a call may last beyond its deadline before the thread stops waiting for the loop.
_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever waits for an explanation: until when, whether still, and what to hand downstream."""

    deadline: Deadline
    gone: Callable[[], bool]
    forward: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CallSize:
    """The most graphs and nodes of one call to the predictor."""

    graphs: int
    nodes: int

    def rows(self, nodes_a_graph: int) -> int:
        """How many perturbed graphs fit into one call when the whole graph has so many nodes."""
        return max(1, min(self.graphs, self.nodes // nodes_a_graph))


class Scoring:
    """Scores perturbed graphs for one explanation, within a `random_turn`.

    Attributes:
        calls, rows     what it has cost so far
        parameters      what the predictor last said of itself
    """

    def __init__(
        self, predictor: PredictorClient, loop: asyncio.AbstractEventLoop, caller: Caller, model_version: str
    ) -> None:
        self._predictor = predictor
        self._loop = loop
        self._caller = caller
        self._model_version = model_version
        self.calls = 0
        self.rows = 0
        self.parameters: Parameters = {}

    def by_rows(
        self,
        rows: Shaped[np.ndarray, "rows columns"],
        graphs_of: Callable[[np.ndarray], DomainGraphs],
        rows_a_call: int,
    ) -> Risks:
        """The risks of the graph that each row stands for, asked call by call.

        One after another on purpose: calls that the predictor joins at random differ in the last bit.
        """
        parts = [
            self.risks(graphs_of(rows[first : first + rows_a_call]))
            for first in range(0, len(rows), rows_a_call)
        ]
        return np.concatenate(parts, axis=1)

    def risks(self, graphs: DomainGraphs) -> Risks:
        """The risk scores of some graphs and of their names alone, in one call.

        Raises:
            CallerGone, DeadlineExceeded: nobody waits any more.
            FeatureSchemaMismatch: the predictor serves another model version than is explained here.
            RiskError: the predictor's refusal.
        """
        self._caller.deadline.check()
        if self._caller.gone():
            raise CallerGone("the caller disconnected")
        self.calls += 1
        self.rows += graphs.graph_count
        with others_turn():
            scored = self._wait(graphs)
        self.parameters = scored.parameters
        check_version(scored.parameters, self._model_version)
        return np.stack([scored.risk_score, scored.name_score]).astype(np.float64)

    def _wait(self, graphs: DomainGraphs) -> Scored:
        deadline = self._caller.deadline
        asked = self._predictor.score(graphs, deadline, self._caller.forward)
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return answer.result(min(deadline.remaining_s() + _SLACK_S, 3600.0))
        except concurrent.futures.TimeoutError:
            answer.cancel()
            raise DeadlineExceeded("the deadline passed before the perturbed graphs were scored") from None


def check_version(parameters: Parameters, model_version: str) -> None:
    """Refuse scores of another model version than is explained.

    Raises:
        FeatureSchemaMismatch: says both.
    """
    served = parameters.get(MODEL_VERSION_PARAMETER)
    if served != model_version:
        raise FeatureSchemaMismatch(
            f"the predictor serves model version {served!r}, this explainer has the background of "
            f"{model_version!r}: roll out explainer and predictor of the same version"
        )
