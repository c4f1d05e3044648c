"""The device and the model on it: arrays in, scores out.

On CPU launching computes. On CUDA launching only enqueues: the copy to the device runs from pinned memory
on a stream of its own, so that one batch travels while the one before it is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32

from contract.graphs import DomainGraphs
from predictor.fast_forward import FastForward, tensor_of
from predictor.model import RiskGnn
from predictor.raw_graphs import RawGraphs, joined


@dataclass(frozen=True, slots=True)
class Scores:
    """What the model says of G graphs.

    Shapes:
        category_scores  float32 (G, 4)  columns as in tensors.CATEGORIES, rows sum to 1
        risk_score       float32 (G,)    calibrated probability of malice, 1 - category_scores[:, 0]
        name_score       float32 (G,)    the same by the name alone; equal where there is nothing else
    """

    category_scores: Float32[np.ndarray, "graphs categories"]
    risk_score: Float32[np.ndarray, " graphs"]
    name_score: Float32[np.ndarray, " graphs"]

    def __getitem__(self, graphs: slice) -> Scores:
        return Scores(self.category_scores[graphs], self.risk_score[graphs], self.name_score[graphs])


@dataclass(frozen=True, slots=True)
class Ticket:
    """Scores that may still be on their way to the host."""

    scores: np.ndarray
    on_host: torch.cuda.Event | None = None

    def result(self) -> Scores:
        """Block until the scores are on the host.

        Raises:
            FloatingPointError: the model gave no number, which would be allowed through as a low risk.
        """
        if self.on_host is not None:
            self.on_host.synchronize()
        if not np.isfinite(self.scores).all():
            raise FloatingPointError("the model's scores are not all numbers")
        categories, alone = np.ascontiguousarray(self.scores[:, :-1]), self.scores[:, -1]
        return Scores(categories, 1.0 - categories[:, 0], np.ascontiguousarray(alone))


def choose_device(setting: str) -> torch.device:
    """`auto` is CUDA where there is one; anything else is torch's own name of a device."""
    if setting == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(setting)


class Scorer:
    """Runs the model on one device; one thread calls `launch`."""

    def __init__(self, model: RiskGnn, device: torch.device) -> None:
        self._model = model.to(device).eval()
        self.device = device
        self._copies = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._on_cpu = FastForward(self._model) if device.type == "cpu" else None

    @property
    def pipeline_depth(self) -> int:
        return 1 if self._copies is None else 2

    @torch.inference_mode()
    def launch(self, batch: Sequence[DomainGraphs | RawGraphs]) -> Ticket:
        """Join the graphs and start scoring them.

        Raises:
            BrokenRequests: some of the requests break the contract; nothing was scored.
        """
        graphs = joined(batch)
        if self._on_cpu is not None:
            return Ticket(self._on_cpu.scores(graphs))
        if self._copies is None:
            return Ticket(self._model.scores(host_tensors(graphs)).cpu().numpy())
        return self._launch_cuda(host_tensors(graphs), self._copies)

    def _launch_cuda(self, tensors: dict[str, torch.Tensor], copies: torch.cuda.Stream) -> Ticket:
        with torch.cuda.stream(copies):
            moved = {
                name: tensor.pin_memory().to(self.device, non_blocking=True)
                for name, tensor in tensors.items()
            }
        compute = torch.cuda.current_stream(self.device)
        compute.wait_stream(copies)
        for tensor in moved.values():
            # The allocator must not hand this memory to the next copy while the model still reads it.
            tensor.record_stream(compute)
        scores = self._model.scores(moved)
        on_host = torch.cuda.Event()
        host = torch.empty(scores.shape, dtype=scores.dtype, pin_memory=True)
        host.copy_(scores, non_blocking=True)
        on_host.record(compute)
        return Ticket(host.numpy(), on_host)


def host_tensors(graphs: DomainGraphs) -> dict[str, torch.Tensor]:
    """The model's arguments, sharing the arrays' memory where it is writable."""
    return {name: tensor_of(array) for name, array in graphs.tensors().items()}
