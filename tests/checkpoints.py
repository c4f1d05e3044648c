"""Checkpoints made in a second, for tests of protocol and plumbing that must not hang on the shipped weights."""

from __future__ import annotations

from pathlib import Path

import torch

from contract.feature_schema import FEATURE_SCHEMA
from predictor.architecture import Architecture
from predictor.checkpoint import ModelConfig, OperatingPoints, save
from predictor.model import RiskGnn

MONITOR, BLOCK = 0.45, 0.55


def random_model(seed: int = 0, architecture: Architecture | None = None) -> RiskGnn:
    """A model in which every weight counts; as made for training, evidence would shift no score."""
    torch.manual_seed(seed)
    model = RiskGnn(architecture or Architecture())
    with torch.no_grad():
        model.evidence.leave.weight.normal_(std=0.5)
        model.evidence.leave.bias.fill_(0.1)
        model.calibration.copy_(torch.tensor([[1.2, -0.1], [0.8, 0.1]]))
    return model.eval()


def configuration(architecture: Architecture | None = None, version: str = "test-1") -> ModelConfig:
    """What stands beside random weights."""
    return ModelConfig(
        version=version,
        feature_schema=FEATURE_SCHEMA,
        weights_sha256="",
        architecture=architecture or Architecture(),
        operating_points=OperatingPoints(monitor=MONITOR, block=BLOCK),
        suffix_list="none",
        trained_on={"random": "0" * 64},
        training={"seed": 0},
        metrics={},
    )


def write_checkpoint(
    directory: Path, seed: int = 0, architecture: Architecture | None = None, version: str = "test-1"
) -> ModelConfig:
    """A seeded random model version, as training would leave it."""
    return save(directory, random_model(seed, architecture), configuration(architecture, version))
