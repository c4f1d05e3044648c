"""The explainer as a `RiskModel`: domains in, explanations out, by v1 `:explain` and as v2 tensors."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson

from contract.errors import InvalidTensors, Overloaded
from contract.tensors import ANSWERS, CLIENT_INPUTS, DOMAIN, EXPLANATION
from explainer.answer import Subject
from explainer.explain import DomainExplainer, TimeLeft
from explainer.features import DomainFeatures, Features, FeaturesClient
from explainer.options import ExplainOptions, read_options
from explainer.perturbation import EgoGraph
from explainer.scoring import Caller, Scoring
from serving.metrics import ExplanationMetrics
from serving.model import InferAnswer, InferCall, RiskModel, V1Call, V1Verb
from serving.predictor_client import PredictorClient
from serving.raw_tensor import bytes_array
from serving.tensor_contract import echo
from serving.tensor_parameters import without_scheduling
from serving.v1_instances import tensors_of_instances

_BODY_KEYS: Final = ("instances", "parameters")


@dataclass(frozen=True, slots=True)
class Admission:
    """How many domains a request may hold, and how many explanations may be under way and waiting."""

    max_instances: int
    max_waiting: int
    workers: int


@dataclass(frozen=True, slots=True)
class Peers:
    """The services that an explanation asks."""

    features: FeaturesClient
    predictor: PredictorClient

    async def ready(self) -> bool:
        """Whether both can answer now."""
        return all(await asyncio.gather(self.features.ready(), self.predictor.ready()))

    async def close(self) -> None:
        """Close both channels."""
        await self.features.close()
        await self.predictor.close()


class RiskExplainer(RiskModel):
    """Explains the scores that clients are given; owns neither features, graph store nor model."""

    platform = "dns-risk-explainer"

    def __init__(
        self,
        name: str,
        version: str,
        model_version: str,
        explainer: DomainExplainer,
        peers: Peers,
        admission: Admission,
        metrics: ExplanationMetrics,
    ) -> None:
        super().__init__(name, version, CLIENT_INPUTS, (EXPLANATION,))
        self._model_version = model_version
        self._explainer = explainer
        self._peers = peers
        self._admission = admission
        self._metrics = metrics
        self._waiting = 0
        self._threads = ThreadPoolExecutor(admission.workers, thread_name_prefix="explain")

    async def infer(self, call: InferCall) -> InferAnswer:
        """Explain a request's domains; each explanation is one JSON object.

        Raises:
            InvalidTensors: unknown parameters, too many domains, or one that is no name.
            Overloaded: too many explanations wait.
            RiskError: what transformer or predictor refused.
        """
        explanations = await self._explain(call, read_options(without_scheduling(call.parameters)))
        texts = [orjson.dumps(explanation) for explanation in explanations]
        return InferAnswer({EXPLANATION.name: bytes_array(texts, [len(texts)])})

    def v1_verbs(self) -> Mapping[str, V1Verb]:
        return {"explain": self._v1_explain}

    async def _v1_explain(self, call: V1Call) -> dict[str, object]:
        unknown = sorted(call.body.keys() - _BODY_KEYS)
        if unknown:
            raise InvalidTensors(f"expected the keys {' and '.join(_BODY_KEYS)}, got {echo(unknown[0])}")
        parameters = call.body.get("parameters")
        options = read_options({} if parameters is None else parameters)
        inputs = tensors_of_instances(call.body)
        return {"explanations": await self._explain(call.infer_call(inputs), options)}

    async def _explain(self, call: InferCall, options: ExplainOptions) -> list[dict[str, Any]]:
        domains = call.inputs[DOMAIN.name]
        self._check(domains, call.inputs.get(ANSWERS.name))
        if not len(domains):
            return []
        self._admit(len(domains))
        try:
            features = await self._peers.features.ask(call.inputs, call.deadline, call.forward)
            time_left = TimeLeft.of(call.deadline, len(domains), self._admission.workers)
            work = [self._one(call, options, features, domain, time_left) for domain in features.domains]
            return list(await asyncio.gather(*work))
        finally:
            self._wait(-len(domains))

    def _check(self, domains: np.ndarray, answers: np.ndarray | None) -> None:
        limit = self._admission.max_instances
        if len(domains) > limit:
            raise InvalidTensors(f"expected at most {limit} domains a request, got {len(domains)}")
        if answers is not None and len(answers) != len(domains):
            raise InvalidTensors(
                f"{ANSWERS.name}: expected one entry for each of {len(domains)} domains, got {len(answers)}"
            )

    def _admit(self, domains: int) -> None:
        limit = self._admission.max_waiting
        if self._waiting + domains > limit:
            raise Overloaded(f"{self._waiting} of {limit} explanations wait, try again later")
        self._wait(domains)

    def _wait(self, change: int) -> None:
        self._waiting += change
        self._metrics.waiting.set(self._waiting)

    async def _one(
        self,
        call: InferCall,
        options: ExplainOptions,
        features: Features,
        domain: DomainFeatures,
        time_left: TimeLeft,
    ) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        caller = Caller(call.deadline, call.caller_gone, call.forward)
        scoring = Scoring(self._peers.predictor, loop, caller, self._model_version)
        subject = Subject(
            domain, EgoGraph.of(domain.graph), features.snapshot, self._model_version, self.version
        )
        explain = self._explainer.explain
        answer = await loop.run_in_executor(
            self._threads, explain, subject, features.policy, options, scoring, time_left
        )
        self._metrics.explained(options.method, answer["cost"], truncated=bool(answer.get("truncated")))
        return answer

    async def ready(self) -> bool:
        """Ready when transformer and predictor are: an explanation needs both."""
        return await self._peers.ready()

    async def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._peers.close()
