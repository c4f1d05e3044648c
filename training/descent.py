"""Gradient descent with a moving average of the weights, a progress bar and early stopping."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from tqdm import trange

logger = logging.getLogger(__name__)

EMA_EVERY: Final = 8


@dataclass(frozen=True, slots=True)
class Watch:
    """Early stopping: a figure of validation rows, how often to look, how many looks without gain to wait.

    With `measure` None nothing is looked at, and exactly `steps` steps are taken.
    """

    measure: Callable[[], float] | None
    steps: int
    every: int = 0
    patience: int = 3


@dataclass(frozen=True, slots=True)
class Descent:
    """How one path is fitted."""

    module: nn.Module
    groups: list[dict[str, object]]
    loss: Callable[[], Tensor]
    rate: float
    average: float
    schedule_steps: int
    what: str


def descend(descent: Descent, watch: Watch) -> int:
    """Fit, and keep the moving average of the weights at the best look; the result is its step."""
    module, total = descent.module, descent.schedule_steps
    optimizer = torch.optim.AdamW(descent.groups, lr=descent.rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, descent.rate, total_steps=total + 1, pct_start=0.1
    )
    averaged = copy.deepcopy(module)
    best = Best(averaged)
    progress = trange(watch.steps, desc=descent.what, disable=None)
    for step in range(1, watch.steps + 1):
        value = descent.loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        progress.update()
        if step % EMA_EVERY == 0:
            _move_towards(averaged, module, min(descent.average, step / (step + 9)) ** EMA_EVERY)
        if watch.measure is not None and (step % watch.every == 0 or step == watch.steps):
            found = _measured(module, averaged, watch.measure)
            logger.info("%s: step %d of %d, validation %.4f", descent.what, step, watch.steps, found)
            if best.waited(found, step, averaged) >= watch.patience:
                break
        elif progress.disable and step % (watch.steps // 10 or 1) == 0:
            logger.info("%s: step %d of %d, loss %.3f", descent.what, step, watch.steps, value.item())
    progress.close()
    module.load_state_dict(averaged.state_dict() if watch.measure is None else best.weights)
    module.eval()
    return watch.steps if watch.measure is None else best.step


class Best:
    """The best look so far."""

    def __init__(self, module: nn.Module) -> None:
        self.figure, self.step, self.looks = float("-inf"), 0, 0
        self.weights = copy.deepcopy(module.state_dict())

    def waited(self, figure: float, step: int, module: nn.Module) -> int:
        """Remember a look if it is the best; the result is how many looks ago the best one was."""
        self.looks += 1
        if figure > self.figure:
            self.figure, self.step, self.looks = figure, step, 0
            self.weights = copy.deepcopy(module.state_dict())
        return self.looks


def _measured(module: nn.Module, averaged: nn.Module, measure: Callable[[], float]) -> float:
    fitted = copy.deepcopy(module.state_dict())
    module.load_state_dict(averaged.state_dict())
    module.eval()
    figure = measure()
    module.load_state_dict(fitted)
    module.train()
    return figure


@torch.no_grad()
def _move_towards(averaged: nn.Module, module: nn.Module, keep: float) -> None:
    for mean, value in zip(averaged.parameters(), module.parameters(), strict=True):
        mean.lerp_(value, 1.0 - keep)
