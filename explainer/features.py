"""The hop to the transformer: names out, their ego-graphs and labels back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from contract.errors import FeatureSchemaMismatch, InvalidTensors, ScoringFailed
from contract.feature_schema import FEATURE_SCHEMA
from contract.graph_checks import from_tensors
from contract.graphs import FEATURE_OUTPUTS, DomainGraphs, split
from contract.policy import Policy
from contract.tensors import (
    BLOCK_PARAMETER,
    CLIENT_INPUTS,
    DOMAIN,
    FEATURES_MODEL,
    GRAPH_ROWS,
    MONITOR_PARAMETER,
    NEVER_BLOCKED,
    NODE_LABELS,
    SCHEMA_PARAMETER,
    SNAPSHOT_PARAMETER,
    STATUS,
)
from serving.deadline import Deadline
from serving.model import Parameter
from serving.tensor_client import Answered, Peer, TensorClient
from serving.tensor_contract import echo


@dataclass(frozen=True, slots=True)
class DomainFeatures:
    """One domain as the transformer sees it: a single graph, what its nodes are called, and its status."""

    graph: DomainGraphs
    labels: list[str]
    status: str
    never_blocked: str = ""
    """why the name may never be blocked; empty where it may, or with a transformer of an older release"""


@dataclass(frozen=True, slots=True)
class Features:
    """The domains of a request, the snapshot their graphs are of, and the operator's thresholds."""

    domains: list[DomainFeatures]
    snapshot: str
    policy: Policy


class FeaturesClient:
    """One channel to the transformer's model domain-features."""

    def __init__(self, host: str) -> None:
        self._client = TensorClient(
            Peer("transformer", host, FEATURES_MODEL, CLIENT_INPUTS, FEATURE_OUTPUTS, InvalidTensors)
        )

    async def ask(
        self, inputs: Mapping[str, np.ndarray], deadline: Deadline, forward: Mapping[str, str]
    ) -> Features:
        """The features of every domain, all of which must be names.

        Raises:
            InvalidTensors: a domain is no name; says which and why.
            FeatureSchemaMismatch: the transformer computes other features.
            RiskError: as `TensorClient.infer`.
        """
        answer = await self._answer(inputs, deadline, forward)
        statuses = [status.decode() for status in answer.outputs[STATUS.name]]
        _check_names(inputs[DOMAIN.name], answer.outputs[GRAPH_ROWS.name], statuses)
        return Features(
            _domains(answer, statuses),
            str(answer.parameters.get(SNAPSHOT_PARAMETER, "")),
            Policy(
                _threshold(answer.parameters, MONITOR_PARAMETER),
                _threshold(answer.parameters, BLOCK_PARAMETER),
            ),
        )

    async def graphs(
        self, inputs: Mapping[str, np.ndarray], deadline: Deadline, forward: Mapping[str, str]
    ) -> tuple[DomainGraphs, Int64[np.ndarray, " graphs"]]:
        """The graphs of those domains that are names, and which they are.

        Raises:
            FeatureSchemaMismatch, RiskError: as `ask`.
        """
        answer = await self._answer(inputs, deadline, forward)
        return _graphs(answer), answer.outputs[GRAPH_ROWS.name]

    async def _answer(
        self, inputs: Mapping[str, np.ndarray], deadline: Deadline, forward: Mapping[str, str]
    ) -> Answered:
        answer = await self._client.infer(inputs, {}, deadline, forward)
        _check_schema(answer.parameters)
        return answer

    async def ready(self) -> bool:
        """Whether the transformer can answer now."""
        return await self._client.ready()

    async def close(self) -> None:
        """Close the channel; calls under way are cancelled."""
        await self._client.close()


def _check_schema(parameters: Mapping[str, Parameter]) -> None:
    sent = parameters.get(SCHEMA_PARAMETER)
    if sent != FEATURE_SCHEMA:
        raise FeatureSchemaMismatch(
            f"the transformer's features are of schema {sent!r}, this explainer reads {FEATURE_SCHEMA!r}: "
            "roll out transformer and explainer of the same release"
        )


def _check_names(domains: np.ndarray, rows: np.ndarray, statuses: list[str]) -> None:
    if len(statuses) != len(domains):
        raise ScoringFailed(f"the transformer answered {len(statuses)} of {len(domains)} names")
    missing = sorted(set(range(len(domains))) - set(rows.tolist()))
    if missing:
        first = missing[0]
        raise InvalidTensors(
            f"instance {first}: expected a domain name, got {_shown(domains[first])}: {statuses[first]}"
        )


def _shown(domain: bytes) -> str:
    return echo(domain.decode("utf-8", "backslashreplace"))


def _graphs(answer: Answered) -> DomainGraphs:
    try:
        return from_tensors(answer.outputs)
    except InvalidTensors as flaw:
        raise ScoringFailed(f"the transformer's graphs are broken: {flaw}") from None


def _domains(answer: Answered, statuses: list[str]) -> list[DomainFeatures]:
    graphs = _graphs(answer)
    labels = [label.decode("utf-8", "backslashreplace") for label in answer.outputs[NODE_LABELS.name]]
    if len(labels) != graphs.node_count:
        raise ScoringFailed(f"the transformer's node_labels are {len(labels)}, for {graphs.node_count} nodes")
    bounds = graphs.node_offsets.tolist()
    told = answer.outputs.get(NEVER_BLOCKED.name)
    never = [reason.decode() for reason in told] if told is not None else [""] * len(statuses)
    one_each = split(graphs, [1] * graphs.graph_count)
    return [
        DomainFeatures(graph, labels[first:last], status, why)
        for graph, first, last, status, why in zip(
            one_each, bounds[:-1], bounds[1:], statuses, never, strict=True
        )
    ]


def _threshold(parameters: Mapping[str, Parameter], name: str) -> float | None:
    value = parameters.get(name)
    return float(value) if isinstance(value, int | float) else None
