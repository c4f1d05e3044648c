"""Fit the model: once without the validation rows, to choose, and once with all."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_model, save_model

from predictor.architecture import Architecture
from predictor.model import RiskGnn
from training.descent import Run
from training.peers import Peers
from training.recipe import Recipe
from training.steps.featurize import read_beside, read_samples
from training.steps.step import Inputs, Step
from training.train import Steps, explore, fit

_EXPLORED: Final = "explored.safetensors"
_FITTED: Final = "fitted.safetensors"
_STEPS: Final = "steps.json"


def _run(inputs: Inputs, output: Path) -> None:
    train(inputs.folders["featurize"], inputs.recipe, output, inputs.partial, Peers())


def train(features: Path, recipe: Recipe, output: Path, partial: Path, peers: Peers) -> None:
    """Fit both models and write them; of several processes the first one writes.

    Args:
        features: the folder that the step `featurize` has written.
        recipe: every number of the training.
        output: an empty folder.
        partial: where checkpoints lie; a run that was killed goes on from there.
        peers: the processes that train together.
    """
    # Sums in one order on every machine, so that the same files give the same weights.
    torch.set_num_threads(1)
    samples = read_samples(features)
    kept = partial / "explore", partial / "fit"
    for folder in kept:
        folder.mkdir(parents=True, exist_ok=True)
    explored, steps = explore(samples, read_beside(features, every_row=False), recipe, Run(kept[0], peers))
    fitted = fit(samples, read_beside(features, every_row=True), steps, recipe, Run(kept[1], peers))
    if peers.first:
        save_model(explored, str(output / _EXPLORED))
        save_model(fitted, str(output / _FITTED))
        (output / _STEPS).write_text(json.dumps(dataclasses.asdict(steps)) + "\n")


TRAIN: Final = Step("train", _run, needs=("featurize",))


def read_trained(folder: Path) -> tuple[RiskGnn, RiskGnn, Steps]:
    """The model to choose by, the one to ship, and how long both were fitted."""
    explored, fitted = _read(folder / _EXPLORED), _read(folder / _FITTED)
    return explored, fitted, Steps(**json.loads((folder / _STEPS).read_text()))


def _read(path: Path) -> RiskGnn:
    model = RiskGnn(Architecture())
    load_model(model, str(path))
    return model.eval()
