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


def microseconds_per_graph(versions: Sequence[Path], batches: Sequence[DomainGraphs]) -> list[float]:
    """Time of each version's model alone on joined batches, in this process, on one thread of the CPU.

    Versions take turns, so that what else the machine does costs all of them alike.
    """
    scorers = [Scorer(load(version)[0], torch.device("cpu")) for version in versions]
    with one_thread():
        rounds = [[_seconds(scorer, batches) for scorer in scorers] for _ in range(ROUNDS)]
    graphs = sum(batch.graph_count for batch in batches)
    return [1e6 * min(seconds) / graphs for seconds in zip(*rounds, strict=True)]


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
