"""The transformer as a `RiskModel`: domain names in, risk out, one hop to the predictor between."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import numpy as np

from contract.errors import PredictorUnavailable
from contract.policy import Policy, actions, categories
from contract.tensors import (
    CATEGORIES,
    CLIENT_INPUTS,
    CLIENT_OUTPUTS,
    DOMAIN,
    LEXICAL_ONLY,
    MODEL_VERSION_PARAMETER,
    NOT_SCORED,
)
from serving.front_desk import server_version
from serving.metrics import AnswerMetrics, FeatureMetrics
from serving.model import InferAnswer, InferCall, Parameter, RiskModel, V1Call, V1Verb
from serving.predictor_client import PredictorClient
from serving.scored import Scored
from serving.v1_instances import tensors_of_instances
from transformer.featurize import Featurized
from transformer.featurizer import Featurizer
from transformer.lawful_actions import lawful
from transformer.lexical_model import LexicalModel
from transformer.rounds import Round, RoundLimits, Rounds
from transformer.score_cache import RememberedScores, ScoreCache
from transformer.snapshot_watch import SnapshotWatch
from transformer.v1 import predictions

# Status of a name that was scored while the predictor did not answer.
_LEXICAL_STATUS: Final = f"{LEXICAL_ONLY}: the predictor does not answer".encode()


class RiskTransformer(RiskModel):
    """Turns names into ego-graphs, asks the predictor, and says what its scores mean."""

    platform = "dns-risk-transformer"
    engine = True

    def __init__(
        self,
        name: str,
        featurizer: Featurizer,
        predictor: PredictorClient,
        policy: Policy,
        *,
        snapshot_poll_s: float,
        limits: RoundLimits,
        metrics: FeatureMetrics,
        told: AnswerMetrics,
        fallback: LexicalModel | None = None,
        cache: ScoreCache | None = None,
    ) -> None:
        super().__init__(name, server_version(), CLIENT_INPUTS, CLIENT_OUTPUTS)
        self._featurizer = featurizer
        self._predictor = predictor
        self._policy = policy
        self._snapshot_poll_s = snapshot_poll_s
        self._metrics = metrics
        self._told = told
        self._fallback = fallback
        self._rounds = Rounds(self._answer, limits)
        self._ask = self._rounds.ask if cache is None else self._remembered(cache).ask

    def _remembered(self, cache: ScoreCache) -> RememberedScores:
        store = self._featurizer.store
        return RememberedScores(
            self._rounds.ask, cache, lambda: store.snapshot.snapshot_id, self._metrics.looked_up
        )

    async def infer(self, call: InferCall) -> InferAnswer:
        """Score a request's names.

        Raises:
            InvalidTensors: too many names, or not one entry of answers per name.
            Overloaded: too many names of other requests wait.
            RiskError: what the predictor refused, with its status.
        """
        names, answers = self._featurizer.read(call.inputs)
        return await self._ask(names, answers, call.deadline, call.forward)

    async def _answer(self, started: Round) -> InferAnswer:
        """Score all names of a round."""
        snapshot = self._featurizer.store.snapshot
        featurized = await self._featurizer.featurize(started.names, started.answers, snapshot)
        if featurized.graphs is None:
            return InferAnswer(unscored_outputs(featurized))
        began_s = time.perf_counter()
        try:
            scored = await self._predictor.score(featurized.graphs, started.deadline, started.forward)
        except PredictorUnavailable as absence:
            return self._degraded(featurized, absence)
        self._metrics.predictor_seconds.observe(time.perf_counter() - began_s)
        return InferAnswer(self._outputs(featurized, scored), answer_parameters(scored))

    def _degraded(self, featurized: Featurized, absence: PredictorUnavailable) -> InferAnswer:
        """Scores of the names alone, each marked as such; the absence itself where none was asked for."""
        if self._fallback is None or featurized.graphs is None:
            raise absence
        scored = self._fallback.score(featurized.graphs)
        outputs = self._outputs(featurized, scored)
        outputs["status"][featurized.rows] = _LEXICAL_STATUS
        self._metrics.domains.labels("lexical_only").inc(len(featurized.rows))
        return InferAnswer(outputs, answer_parameters(scored))

    def _outputs(self, featurized: Featurized, scored: Scored) -> dict[str, np.ndarray]:
        monitor, block = self._policy.resolve(scored.parameters)
        outputs = unscored_outputs(featurized)
        rows = featurized.rows
        outputs["risk_score"][rows] = scored.risk_score
        outputs["name_score"][rows] = scored.name_score
        outputs["category"][rows] = categories(scored.category_scores)
        outputs["category_scores"][rows] = scored.category_scores
        by_score = actions(scored.risk_score, scored.name_score, monitor, block)
        outputs["action"][rows] = lawful(by_score, featurized.names)
        version = str(scored.parameters.get(MODEL_VERSION_PARAMETER, ""))
        self._told.answered(scored.risk_score, outputs["action"][rows], outputs["category"][rows], version)
        return outputs

    async def ready(self) -> bool:
        """Ready when the predictor is, or where names are scored without it: others are of use to nobody."""
        return self._fallback is not None or await self._predictor.ready()

    async def start_engine(self) -> None:
        """Look for newer snapshots for as long as the service runs."""
        await SnapshotWatch(
            self._featurizer.store, self._metrics.snapshot_refusals, self._snapshot_poll_s
        ).run()

    async def stop(self) -> None:
        await self._rounds.stop()
        await self._predictor.close()
        self._featurizer.close()

    def v1_verbs(self) -> Mapping[str, V1Verb]:
        return {"predict": self._v1_predict}

    async def _v1_predict(self, call: V1Call) -> dict[str, object]:
        inputs = tensors_of_instances(call.body)
        answer = await self.infer(call.infer_call(inputs))
        return predictions(inputs[DOMAIN.name], answer)


def unscored_outputs(featurized: Featurized) -> dict[str, np.ndarray]:
    """The outputs as they stand before any score; a name that has none is allowed: fail open."""
    count = len(featurized.statuses)
    return {
        "risk_score": np.full(count, NOT_SCORED, np.float32),
        "name_score": np.full(count, NOT_SCORED, np.float32),
        "category": np.full(count, b"", object),
        "category_scores": np.full((count, len(CATEGORIES)), NOT_SCORED, np.float32),
        "action": np.full(count, b"allow", object),
        "neighbours": featurized.neighbours,
        "status": np.array([status.encode() for status in featurized.statuses], object),
    }


def answer_parameters(scored: Scored) -> dict[str, Parameter]:
    """What the client is told beside the tensors: which model version spoke."""
    version = scored.parameters.get(MODEL_VERSION_PARAMETER)
    return {} if version is None else {MODEL_VERSION_PARAMETER: version}
