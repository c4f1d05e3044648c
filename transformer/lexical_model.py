"""What a model says of names by themselves, computed here while no predictor answers.

The lexical path of a model version (`predictor.model.LexicalPath`) in numpy, from the same files; calibrated
as for names without neighbours, so a lone name gets the predictor's own score.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from jaxtyping import Float32
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_weights

from contract.feature_schema import FEATURE_SCHEMA, GRAPH_FEATURES
from contract.graphs import DomainGraphs
from contract.ngrams import NgramLayout, hashed_ngrams
from contract.ragged import take_ragged
from contract.rounding import restored
from contract.tensors import BLOCK_PARAMETER, MODEL_VERSION_PARAMETER, MONITOR_PARAMETER
from serving.model import Parameter
from serving.scored import Scored

Probability = Annotated[float, Field(ge=0.0, le=1.0)]

# Appended to the version of the model, so that no metric takes these scores for the predictor's.
LEXICAL_SUFFIX: Final = "+lexical"

_LAYERS: Final = ("features", "join", "deepen", "head.0", "head.3")

# erf by Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; the error is below 1.5e-7.
_ERF_P: Final = 0.3275911
_ERF_A: Final = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


class UnusableModel(Exception):
    """The directory holds no model version that can score here; the message is one line."""


class _Architecture(BaseModel):
    ngram_sizes: tuple[int, ...]
    ngram_buckets: int


class _OperatingPoints(BaseModel):
    monitor: Probability
    block: Probability


class _Config(BaseModel):
    """What is read here of a version's config.json."""

    model_config = ConfigDict(frozen=True)

    version: str
    feature_schema: str
    weights_sha256: str
    architecture: _Architecture
    operating_points: _OperatingPoints


class LexicalModel:
    """Scores names by their spelling."""

    def __init__(self, directory: Path) -> None:
        """Read a model version.

        Raises:
            UnusableModel: missing or damaged files, or features of another schema.
        """
        config, weights = _read(directory)
        architecture, points = config.architecture, config.operating_points
        self._layout = NgramLayout(architecture.ngram_sizes, architecture.ngram_buckets)
        try:
            self._table = weights["lexical.names.table.weight"].astype(np.float32)
            self._layers = {name: _layer(weights, name) for name in _LAYERS}
            self._scale, self._shift = weights["calibration"][0].tolist()
        except KeyError as missing:
            raise UnusableModel(f"{directory}: no weights {missing}") from None
        self._parameters: dict[str, Parameter] = {
            MODEL_VERSION_PARAMETER: config.version + LEXICAL_SUFFIX,
            MONITOR_PARAMETER: points.monitor,
            BLOCK_PARAMETER: points.block,
        }

    def score(self, graphs: DomainGraphs) -> Scored:
        """Scores of the target of each graph, in the form of the predictor's answer."""
        logits = self._logits(graphs)
        highest = logits[:, 1:].max(axis=1, keepdims=True)
        kinds = np.exp(logits[:, 1:] - highest)
        malice = highest[:, 0] + np.log(kinds.sum(axis=1))
        log_odds = self._scale * (malice - logits[:, 0]) + self._shift
        risk = (1.0 / (1.0 + np.exp(-np.clip(log_odds, -80.0, 80.0)))).astype(np.float32)
        kinds *= (risk / kinds.sum(axis=1))[:, None]
        return Scored(np.column_stack([1.0 - risk, kinds]), risk, risk, self._parameters)

    def _logits(self, graphs: DomainGraphs) -> Float32[np.ndarray, "graphs categories"]:
        features = graphs.node_features[graphs.target_nodes, : -len(GRAPH_FEATURES)]
        featured = gelu(self._apply("features", features))
        joined = gelu(self._apply("join", np.hstack([self._named(graphs), featured])))
        deep = joined + gelu(self._apply("deepen", joined))
        return self._apply("head.3", gelu(self._apply("head.0", np.hstack([joined, deep]))))

    def _named(self, graphs: DomainGraphs) -> Float32[np.ndarray, "graphs width"]:
        targets = graphs.target_nodes
        starts = graphs.name_offsets[targets]
        lengths = graphs.name_offsets[targets + 1] - starts
        names = take_ragged(graphs.name_bytes, starts, lengths)
        ids, offsets = hashed_ngrams(names, lengths, graphs.name_parts[targets], self._layout)
        # A target is a name, and a name has n-grams: no bag is empty.
        summed = np.add.reduceat(self._table[ids], offsets[:-1], axis=0)
        return summed / np.sqrt(np.diff(offsets)).astype(np.float32)[:, None]

    def _apply(
        self, name: str, rows: Float32[np.ndarray, "rows inputs"]
    ) -> Float32[np.ndarray, "rows outputs"]:
        weight, bias = self._layers[name]
        return rows @ weight + bias


def gelu(values: Float32[np.ndarray, "rows width"]) -> Float32[np.ndarray, "rows width"]:
    """X times the normal distribution's function of x, as torch's gelu.

    >>> gelu(np.array([[-1.0, 0.0, 1.0]], np.float32)).round(4).tolist()
    [[-0.15870000422000885, 0.0, 0.8413000106811523]]
    """
    halved = np.abs(values) / np.float32(np.sqrt(2.0))
    t = 1.0 / (1.0 + _ERF_P * halved)
    polynomial = np.zeros_like(t)
    for coefficient in reversed(_ERF_A):
        polynomial = (polynomial + np.float32(coefficient)) * t
    erf = np.copysign(1.0 - polynomial * np.exp(-halved * halved), values)
    result: Float32[np.ndarray, "rows width"] = (0.5 * values * (1.0 + erf)).astype(np.float32)
    return result


def _layer(weights: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    weight, bias = (weights[f"lexical.{name}.{part}"].astype(np.float32) for part in ("weight", "bias"))
    return np.ascontiguousarray(weight.T), bias


def _read(directory: Path) -> tuple[_Config, dict[str, np.ndarray]]:
    try:
        config = _Config.model_validate_json((directory / "config.json").read_bytes())
        stored = (directory / "model.safetensors").read_bytes()
        weights = restored(load_weights(stored))
    except OSError as error:
        raise UnusableModel(f"{error.filename}: {error.strerror}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        raise UnusableModel(f"{directory}: config.json: {problem['loc']}: {problem['msg']}") from None
    except (SafetensorError, ValueError) as error:
        raise UnusableModel(f"{directory}: model.safetensors: {error}") from None
    if hashlib.sha256(stored).hexdigest() != config.weights_sha256:
        raise UnusableModel(f"{directory}: not the weights that config.json names; copy both again")
    if config.feature_schema != FEATURE_SCHEMA:
        raise UnusableModel(
            f"{directory}: trained on feature schema {config.feature_schema}, "
            f"this build computes {FEATURE_SCHEMA}"
        )
    return config, weights
