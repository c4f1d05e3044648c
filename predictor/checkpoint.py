"""A model version on disk: JSON configuration beside safetensors weights, never pickle."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from contract.feature_schema import FEATURE_SCHEMA
from contract.rounding import restored, rounded
from predictor.architecture import Architecture
from predictor.model import RiskGnn

CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "model.safetensors"

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class UnusableCheckpoint(Exception):
    """The model directory cannot be served; the message is one line that says what to do."""


class OperatingPoints(BaseModel):
    """Scores from which a name is watched, and from which it is blocked, with what they cost.

    Chosen on the validation split: `monitor` at a false-positive rate of 1 %, `block` at 0.1 %.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    monitor: Probability
    block: Probability


class ModelConfig(BaseModel):
    """Everything about a model version but its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    feature_schema: str
    weights_sha256: str
    architecture: Architecture
    operating_points: OperatingPoints
    suffix_list: str
    trained_on: dict[str, str]
    """SHA-256 of each training file by its name."""
    training: dict[str, float | int | str]
    metrics: dict[str, float]


def save(directory: Path, model: RiskGnn, config: ModelConfig) -> ModelConfig:
    """Write a version's weights, then the configuration that names their hash, which is returned."""
    directory.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous().numpy() for name, tensor in model.state_dict().items()}
    save_file(rounded(weights), directory / WEIGHTS_FILE)
    # The serving user is not the one who trained.
    (directory / WEIGHTS_FILE).chmod(0o644)
    sealed = config.model_copy(update={"weights_sha256": _sha256(directory / WEIGHTS_FILE)})
    (directory / CONFIG_FILE).write_text(sealed.model_dump_json(indent=2) + "\n")
    return sealed


def load(directory: Path) -> tuple[RiskGnn, ModelConfig]:
    """Read a version and build its model.

    Raises:
        UnusableCheckpoint: missing or damaged files, or features of another schema.
    """
    config = load_config(directory)
    if config.feature_schema != FEATURE_SCHEMA:
        raise UnusableCheckpoint(
            f"{directory}: trained on feature schema {config.feature_schema}, this build computes "
            f"{FEATURE_SCHEMA}: retrain with `make train`, or serve it with the release it came with"
        )
    return _load_weights(directory, config), config


def load_config(directory: Path) -> ModelConfig:
    """Read and check a version's configuration alone.

    Raises:
        UnusableCheckpoint: no such file, or not a configuration of this format.
    """
    path = directory / CONFIG_FILE
    try:
        return ModelConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UnusableCheckpoint(
            f"{path}: {error.strerror}: give a model version's directory with --model_dir or "
            "DNS_RISK_MODEL_DIR, or make one with `make train`"
        ) from error
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "file"
        raise UnusableCheckpoint(f"{path}: {place}: {problem['msg']}") from error


def _load_weights(directory: Path, config: ModelConfig) -> RiskGnn:
    path = directory / WEIGHTS_FILE
    try:
        if _sha256(path) != config.weights_sha256:
            raise UnusableCheckpoint(f"{path}: not the weights that {CONFIG_FILE} names; copy both again")
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UnusableCheckpoint(f"{path}: {error}") from error
    try:
        model = RiskGnn(config.architecture)
        model.load_state_dict({name: torch.from_numpy(array) for name, array in restored(weights).items()})
    # The architecture may also name relations or features that do not exist.
    except (RuntimeError, KeyError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UnusableCheckpoint(f"{path}: weights do not fit the architecture: {reason}") from error
    return model.eval()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
