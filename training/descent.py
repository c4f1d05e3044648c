"""Gradient descent with a moving average of the weights, progress, early stopping, and resumption.

Every random number of a step follows from the seed and the step's number, so a run that was killed goes on
from its checkpoint to the very weights that it would have had.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from tqdm import trange

from training.data import UnusableData
from training.peers import Peers
from training.resume import Snapshot, read_snapshot, write_snapshot

logger = logging.getLogger(__name__)

EMA_EVERY: Final = 8
CHECKPOINT_EVERY: Final = 200


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
    """How one path is fitted.

    Fields:
        loss        of a step, by its number from 0: this process's part of the sum over all processes
        checkpoint  the file to go on from; None keeps nothing
    """

    module: nn.Module
    groups: list[dict[str, object]]
    loss: Callable[[int], Tensor]
    rate: float
    average: float
    schedule_steps: int
    what: str
    seed: int = 0
    checkpoint: Path | None = None
    peers: Peers = field(default_factory=Peers)


@dataclass(frozen=True, slots=True)
class Run:
    """How a fit is run, which does not change what it gives.

    Fields:
        checkpoints  folder to go on from; None keeps nothing
    """

    checkpoints: Path | None = None
    peers: Peers = field(default_factory=Peers)

    def checkpoint(self, what: str) -> Path | None:
        """The file of one fit."""
        return self.checkpoints / f"{what}.safetensors" if self.checkpoints else None


def descend(descent: Descent, watch: Watch) -> int:
    """Fit, and keep the moving average of the weights at the best look; the result is its step."""
    run = _Run(descent, watch)
    run.resume()
    progress = trange(
        watch.steps, initial=run.step, desc=descent.what, disable=None if descent.peers.first else True
    )
    while run.step < watch.steps and run.best.looks < watch.patience:
        value = run.advance()
        progress.update()
        if progress.disable and run.step % (watch.steps // 10 or 1) == 0 and descent.peers.first:
            logger.info("%s: step %d of %d, loss %.3f", descent.what, run.step, watch.steps, value)
    progress.close()
    return run.finish()


class Best:
    """The best look so far, and how many looks ago it was."""

    def __init__(self, module: nn.Module) -> None:
        self.figure, self.step, self.looks = float("-inf"), 0, 0
        self.weights = copy.deepcopy(module.state_dict())

    def look(self, figure: float, step: int, module: nn.Module) -> None:
        """Remember a look if it is the best."""
        self.looks += 1
        if figure > self.figure:
            self.figure, self.step, self.looks = figure, step, 0
            self.weights = copy.deepcopy(module.state_dict())


class _Run:
    """One descent under way."""

    def __init__(self, descent: Descent, watch: Watch) -> None:
        self._descent, self._watch = descent, watch
        self._optimizer = torch.optim.AdamW(descent.groups, lr=descent.rate, betas=(0.9, 0.99))
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, descent.rate, total_steps=descent.schedule_steps + 1, pct_start=0.1
        )
        self._averaged = copy.deepcopy(descent.module)
        self.best = Best(self._averaged)
        self.step = 0

    def advance(self) -> float:
        """Take one step; look and save where it is time."""
        descent, watch = self._descent, self._watch
        torch.manual_seed(descent.seed * 1_000_003 + self.step * descent.peers.count + descent.peers.rank)
        value = descent.loss(self.step)
        self._optimizer.zero_grad()
        value.backward()
        descent.peers.sum_gradients(descent.module.parameters())
        self._optimizer.step()
        self._schedule.step()
        self.step += 1
        if self.step % EMA_EVERY == 0:
            keep = min(descent.average, self.step / (self.step + 9)) ** EMA_EVERY
            _move_towards(self._averaged, descent.module, keep)
        if watch.measure is not None and (self.step % watch.every == 0 or self.step == watch.steps):
            self._look(watch.measure)
        if self.step % CHECKPOINT_EVERY == 0:
            self._save()
        return value.item()

    def _look(self, measure: Callable[[], float]) -> None:
        descent = self._descent
        figure = descent.peers.agreed(_measured(descent.module, self._averaged, measure))
        if descent.peers.first:
            what = (descent.what, self.step, self._watch.steps, figure)
            logger.info("%s: step %d of %d, validation %.4f", *what)
        self.best.look(figure, self.step, self._averaged)

    def finish(self) -> int:
        """Put the chosen weights into the module; the result is the step they are of."""
        descent, watched = self._descent, self._watch.measure is not None
        descent.module.load_state_dict(self.best.weights if watched else self._averaged.state_dict())
        descent.module.eval()
        return self.best.step if watched else self._watch.steps

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one.

        Raises:
            UnusableData: the first process has a checkpoint that this one cannot see.
        """
        path = self._descent.checkpoint
        if path is not None and path.exists():
            self._restore(read_snapshot(path))
            logger.info("%s: going on from step %d of %s", self._descent.what, self.step, path)
        first = self._descent.peers.agreed(float(self.step))
        if first != self.step:
            raise UnusableData(
                f"{path}: the first process goes on from step {first:.0f}, this one from {self.step}: "
                "keep the output on storage that all processes share"
            )

    def _restore(self, found: Snapshot) -> None:
        self._descent.module.load_state_dict(found.module)
        self._averaged.load_state_dict(found.averaged)
        self._optimizer.load_state_dict(found.optimizer)
        self._schedule.load_state_dict(found.schedule)
        self.step = found.step
        self.best.weights, self.best.figure = found.best, found.best_figure
        self.best.step, self.best.looks = found.best_step, found.looks

    def _save(self) -> None:
        descent, best = self._descent, self.best
        if descent.checkpoint is None or not descent.peers.first:
            return
        snapshot = Snapshot(
            module=descent.module.state_dict(),
            averaged=self._averaged.state_dict(),
            best=best.weights,
            optimizer=self._optimizer.state_dict(),
            schedule=self._schedule.state_dict(),
            step=self.step,
            best_figure=best.figure,
            best_step=best.step,
            looks=best.looks,
        )
        write_snapshot(descent.checkpoint, snapshot)


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
