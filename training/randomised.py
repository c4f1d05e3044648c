"""A model version that has learned nothing: the shipped one with the entries of each weight shuffled.

What explains the model must not explain this one as well (Adebayo et al., NeurIPS 2018).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from explainer.background import BACKGROUND_FILE, CONFIG_FILE, load_background
from predictor.checkpoint import load, save


def randomised_version(model_dir: Path, directory: Path, seed: int) -> Path:
    """Write the shuffled version with the same background; gives its directory."""
    model, config = load(model_dir)
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            shuffled = weight.flatten()[torch.randperm(weight.numel())]
            weight.copy_(shuffled.reshape(weight.shape))
    sealed = save(directory, model, config)
    background = load_background(model_dir).config
    moved = background.model_copy(update={"weights_sha256": sealed.weights_sha256})
    (directory / CONFIG_FILE).write_text(moved.model_dump_json())
    shutil.copy(model_dir / BACKGROUND_FILE, directory / BACKGROUND_FILE)
    return directory
