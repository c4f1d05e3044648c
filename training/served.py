"""What the running services answer, asked as users do: Triton's client over gRPC, HTTP for explanations."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tritonclient.grpc as triton
from jaxtyping import Float32

from contract.feature_schema import FEATURE_SCHEMA
from contract.graph_checks import from_tensors
from contract.graphs import FEATURE_OUTPUTS, GRAPH_INPUTS, DomainGraphs
from contract.tensors import (
    DOMAIN,
    FEATURES_MODEL,
    NAME_SCORE,
    RISK_MODEL,
    RISK_SCORE,
    SCHEMA_PARAMETER,
)
from inference_services.local import LocalSettings
from inference_services.processes import HOST

# The predictor takes no more graphs in one request.
GRAPHS_A_REQUEST = 256


def request_sizes(graphs: int) -> list[int]:
    """How many graphs each request holds, as many as the predictor takes.

    >>> request_sizes(600)
    [256, 256, 88]
    """
    whole, rest = divmod(graphs, GRAPHS_A_REQUEST)
    return [GRAPHS_A_REQUEST] * whole + [rest] * bool(rest)


class ServedModel:
    """Transformer and predictor of a local run."""

    def __init__(self, settings: LocalSettings) -> None:
        self._transformer = triton.InferenceServerClient(f"{HOST}:{settings.transformer_grpc_port}")
        self._predictor = triton.InferenceServerClient(f"{HOST}:{settings.predictor_grpc_port}")

    def features(self, domains: Sequence[str]) -> tuple[DomainGraphs, list[str]]:
        """The ego-graphs of names, all of which must be names, and what the nodes are called."""
        column = triton.InferInput(DOMAIN.name, [len(domains)], "BYTES")
        column.set_data_from_numpy(np.array([domain.encode() for domain in domains], object))
        answer = self._transformer.infer(FEATURES_MODEL, [column])
        arrays = {spec.name: answer.as_numpy(spec.name) for spec in FEATURE_OUTPUTS}
        return from_tensors(arrays), [label.decode() for label in arrays["node_labels"]]

    def risk(self, graphs: DomainGraphs) -> Float32[np.ndarray, " graphs"]:
        """The risk scores of up to 256 graphs."""
        risk: Float32[np.ndarray, " graphs"] = self.risks(graphs)[0]
        return risk

    def risks(self, graphs: DomainGraphs) -> Float32[np.ndarray, "2 graphs"]:
        """The risk scores of up to 256 graphs, and those of their names alone."""
        arrays = graphs.tensors()
        inputs = []
        for spec in GRAPH_INPUTS:
            tensor = triton.InferInput(spec.name, arrays[spec.name].shape, spec.datatype)
            tensor.set_data_from_numpy(arrays[spec.name])
            inputs.append(tensor)
        answer = self._predictor.infer(RISK_MODEL, inputs, parameters={SCHEMA_PARAMETER: FEATURE_SCHEMA})
        return np.stack([answer.as_numpy(spec.name) for spec in (RISK_SCORE, NAME_SCORE)])


class Explanations:
    """The explainer of a local run."""

    def __init__(self, settings: LocalSettings) -> None:
        self._rest = f"http://{HOST}:{settings.explainer_rest_port}"

    def explain(self, domain: str, **parameters: object) -> dict[str, Any]:
        """One explanation.

        Raises:
            RuntimeError: the service refused, with its words.
        """
        explanations: list[dict[str, Any]] = json.loads(self.raw(domain, parameters))["explanations"]
        return explanations[0]

    def raw(self, domain: str, parameters: Mapping[str, object]) -> bytes:
        """The body of the answer."""
        body = json.dumps({"instances": [{"domain": domain}], "parameters": parameters}).encode()
        request = urllib.request.Request(f"{self._rest}/v1/models/{RISK_MODEL}:explain", body)  # noqa: S310 - http only
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
                content: bytes = answer.read()
        except urllib.error.HTTPError as refusal:
            raise RuntimeError(f"{domain}: {refusal.code} {refusal.read().decode()}") from None
        return content

    def live(self) -> None:
        """Ask the liveness probe."""
        with urllib.request.urlopen(f"{self._rest}/v2/health/live", timeout=60) as answer:  # noqa: S310 - as above
            answer.read()
