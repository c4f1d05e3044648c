"""Weights that can be served: calibrated, with operating points, and with where they come from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final

import numpy as np
import torch

from contract.feature_schema import FEATURE_SCHEMA
from contract.public_suffix import SUFFIX_LIST_VERSION
from predictor import checkpoint
from predictor.architecture import Architecture
from predictor.checkpoint import ModelConfig
from training.choice import choose
from training.data import GRAPH_EDGES, GRAPH_NODES, TRAIN_NAMES, sha256
from training.steps.featurize import read_samples
from training.steps.step import Inputs, Step
from training.steps.train import read_trained

_TRAINED_ON: Final = (TRAIN_NAMES, GRAPH_NODES, GRAPH_EDGES)


def _run(inputs: Inputs, output: Path) -> None:
    torch.set_num_threads(1)
    explored, model, steps = read_trained(inputs.folders["train"])
    # Of the model that has not seen the rows to choose by; the shipped one has.
    chosen = choose(explored, read_samples(inputs.folders["featurize"]))
    model.calibration.copy_(torch.from_numpy(chosen.calibration.astype(np.float32)))
    config = ModelConfig(
        version=inputs.version,
        feature_schema=FEATURE_SCHEMA,
        weights_sha256="",
        architecture=Architecture(),
        operating_points=chosen.points,
        suffix_list=SUFFIX_LIST_VERSION,
        trained_on={name: sha256(inputs.data / name) for name in _TRAINED_ON},
        training={
            **inputs.recipe.as_dict(),
            **{f"best_{path}_steps": count for path, count in dataclasses.asdict(steps).items()},
        },
        metrics=chosen.metrics,
    )
    checkpoint.save(output, model, config)


CALIBRATE: Final = Step("calibrate", _run, needs=("featurize", "train"), files=_TRAINED_ON, versioned=True)
