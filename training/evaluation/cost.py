"""What scoring costs on this machine."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch

from contract.graphs import DomainGraphs
from predictor.checkpoint import load
from predictor.scorer import Scorer
from training.evaluation.threads import one_thread

# The quickest of so many rounds: others share the machine.
ROUNDS: Final = 15


def microseconds_per_graph(model_dir: Path, batches: Sequence[DomainGraphs], rounds: int = ROUNDS) -> float:
    """Time of the model alone on joined batches, in this process, on one thread of the CPU."""
    model, _ = load(model_dir)
    scorer = Scorer(model, torch.device("cpu"))
    with one_thread():
        quickest = min(_seconds(scorer, batches) for _ in range(rounds))
    return 1e6 * quickest / sum(batch.graph_count for batch in batches)


def _seconds(scorer: Scorer, batches: Sequence[DomainGraphs]) -> float:
    began = time.perf_counter()
    for batch in batches:
        scorer.launch([batch]).result()
    return time.perf_counter() - began


def machine() -> str:
    """Processor and cores, for whoever reads the figures later."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(names, platform.machine())}, {os.cpu_count()} cores"
