"""The transformer as a `RiskModel`: domain names in, risk out, one hop to the predictor between."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from contract.errors import InvalidTensors
from contract.tensors import (
    ANSWERS,
    CATEGORIES,
    CLIENT_INPUTS,
    CLIENT_OUTPUTS,
    DOMAIN,
    MODEL_VERSION_PARAMETER,
    NOT_SCORED,
    STATUS_OK,
)
from serving.metrics import FeatureMetrics
from serving.model import InferAnswer, InferCall, Parameter, RiskModel, V1Call, V1Verb
from transformer.featurize import Featurized, featurize
from transformer.graph_store import GraphStore, UnusableSnapshot
from transformer.policy import Policy, actions, categories
from transformer.predictor_client import PredictorClient, Scored
from transformer.v1 import predictions, tensors_of_instances

logger = logging.getLogger(__name__)

# Up to here features take less time than handing them to a thread and back.
INLINE_DOMAINS: Final = 4


class RiskTransformer(RiskModel):
    """Turns names into ego-graphs, asks the predictor, and says what its scores mean."""

    platform = "dns-risk-transformer"
    engine = True

    def __init__(
        self,
        name: str,
        version: str,
        store: GraphStore,
        predictor: PredictorClient,
        policy: Policy,
        *,
        max_domains: int,
        snapshot_poll_s: float,
        metrics: FeatureMetrics,
    ) -> None:
        super().__init__(name, version, CLIENT_INPUTS, CLIENT_OUTPUTS)
        self._store = store
        self._predictor = predictor
        self._policy = policy
        self._max_domains = max_domains
        self._snapshot_poll_s = snapshot_poll_s
        self._metrics = metrics
        self._features = ThreadPoolExecutor(1, thread_name_prefix="features")
        metrics.snapshot_age_seconds.set_function(lambda: store.snapshot.age_seconds)
        metrics.snapshot_nodes.set_function(lambda: store.snapshot.node_count)
        metrics.snapshot_edges.set_function(lambda: store.snapshot.edge_count)

    async def infer(self, call: InferCall) -> InferAnswer:
        """Score a request's names.

        Raises:
            InvalidTensors: too many names, or not one entry of answers per name.
            RiskError: what the predictor refused, with its status.
        """
        domains, answers = call.inputs[DOMAIN.name], call.inputs.get(ANSWERS.name)
        self._check(domains, answers)
        featurized = await self._featurize(domains, answers)
        if featurized.graphs is None:
            return InferAnswer(unscored_outputs(featurized))
        started = time.perf_counter()
        scored = await self._predictor.score(featurized.graphs, call.deadline, call.forward)
        self._metrics.predictor_seconds.observe(time.perf_counter() - started)
        return InferAnswer(self._outputs(featurized, scored), answer_parameters(scored))

    def _check(self, domains: np.ndarray, answers: np.ndarray | None) -> None:
        if len(domains) > self._max_domains:
            raise InvalidTensors(
                f"{DOMAIN.name}: expected at most {self._max_domains} names a request, got {len(domains)}"
            )
        if answers is not None and len(answers) != len(domains):
            raise InvalidTensors(
                f"{ANSWERS.name}: expected one entry for each of {len(domains)} names, got {len(answers)}"
            )

    async def _featurize(self, domains: np.ndarray, answers: np.ndarray | None) -> Featurized:
        started = time.perf_counter()
        # One snapshot for the whole request, also when a newer one is swapped in meanwhile.
        snapshot = self._store.snapshot
        listed = None if answers is None else answers.tolist()
        if len(domains) <= INLINE_DOMAINS:
            featurized = featurize(snapshot, domains.tolist(), listed)
        else:
            loop = asyncio.get_running_loop()
            featurized = await loop.run_in_executor(
                self._features, featurize, snapshot, domains.tolist(), listed
            )
        self._metrics.feature_seconds.observe(time.perf_counter() - started)
        self._count(featurized)
        return featurized

    def _count(self, featurized: Featurized) -> None:
        ok = sum(status == STATUS_OK for status in featurized.statuses)
        scored = len(featurized.rows)
        self._metrics.domains.labels("scored").inc(ok)
        self._metrics.domains.labels("answers_ignored").inc(scored - ok)
        self._metrics.domains.labels("not_a_name").inc(len(featurized.statuses) - scored)

    def _outputs(self, featurized: Featurized, scored: Scored) -> dict[str, np.ndarray]:
        monitor, block = self._policy.resolve(scored.parameters)
        outputs = unscored_outputs(featurized)
        rows = featurized.rows
        outputs["risk_score"][rows] = scored.risk_score
        outputs["category"][rows] = categories(scored.category_scores)
        outputs["category_scores"][rows] = scored.category_scores
        outputs["action"][rows] = actions(scored.risk_score, monitor, block)
        return outputs

    async def ready(self) -> bool:
        """Ready when the predictor is: a name is of use to nobody without a score."""
        return await self._predictor.ready()

    async def start_engine(self) -> None:
        """Look for newer snapshots for as long as the service runs."""
        while True:
            await asyncio.sleep(self._snapshot_poll_s)
            try:
                if await asyncio.to_thread(self._store.refresh):
                    logger.info("serving graph snapshot %s", self._store.snapshot.snapshot_id)
            except UnusableSnapshot as refusal:
                logger.error("keeping the old graph snapshot: %s", refusal)

    async def stop(self) -> None:
        await self._predictor.close()
        self._features.shutdown(wait=False)

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
