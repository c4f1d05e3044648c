"""What the predictor can be told; `__main__` is the only reader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from predictor.packing import Size
from serving.settings import ServingSettings


class PredictorSettings(ServingSettings):
    """Front, model directory, device and batching limits, from `DNS_RISK_*`."""

    model_dir: Path = Path("/mnt/models")
    """Directory of the model version to serve; KServe mounts `storageUri` here."""

    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    """`auto` takes CUDA where there is one; else torch's name of a device."""

    torch_threads: Annotated[int, Field(ge=0, le=256)] = 0
    """Threads of one forward pass on CPU; 0 takes all cores but one, which the front needs."""

    score_on: Literal["auto", "loop", "thread"] = "auto"
    """Where batches run: auto takes the event loop for one torch thread on CPU, else a thread."""

    max_batch_graphs: Annotated[int, Field(ge=1)] = 512
    """Graphs in one batch, and in one request; past it a larger batch gains nothing on CPU."""

    max_batch_nodes: Annotated[int, Field(ge=1)] = 32_768
    """Nodes in one batch, and in one request."""

    max_batch_edges: Annotated[int, Field(ge=1)] = 262_144
    """Edges in one batch, and in one request."""

    max_queue_batches: Annotated[int, Field(ge=1)] = 8
    """Full batches that may wait; more is refused at once with 429 / RESOURCE_EXHAUSTED."""

    @property
    def batch_budget(self) -> Size:
        return Size(self.max_batch_graphs, self.max_batch_nodes, self.max_batch_edges)

    @property
    def queue_limit(self) -> Size:
        budget, batches = self.batch_budget, self.max_queue_batches
        return Size(budget.graphs * batches, budget.nodes * batches, budget.edges * batches)
