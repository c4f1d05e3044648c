"""What the explainer can be told; `__main__` is the only reader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from serving.settings import ServingSettings

Host = Annotated[str, Field(pattern=r"^[^\s/]+$")]


class ExplainerSettings(ServingSettings):
    """Front, peers and limits of explanations, from `DNS_RISK_*`."""

    model_dir: Path = Path("/mnt/models")
    """Directory of the model version to serve; KServe mounts `storageUri` here."""

    predictor_host: Host = "127.0.0.1:8083"
    """host:port of the predictor's gRPC (flag --predictor_host); a headless Service spreads the load."""

    transformer_host: Host = "127.0.0.1:8081"
    """host:port of the transformer's gRPC (flag --transformer_host); it has model domain-features."""

    workers: Annotated[int, Field(ge=1, le=64)] = 4
    """Explanations under way at a time; while one waits for scores another computes."""

    max_waiting: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Explanations under way and waiting; more are refused 429 / RESOURCE_EXHAUSTED."""

    max_instances: Annotated[int, Field(ge=1, le=256)] = 16
    """Domains in one request; more are refused 400 / INVALID_ARGUMENT."""

    exact_rows: Annotated[int, Field(ge=2, le=65_536)] = 1022
    """Coalitions up to which all are scored, so that Shapley values are exact: 1022 are 10 players."""

    anchor_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """Perturbed graphs after which the search for a rule ends with the best one so far."""

    anchor_ms: Annotated[int, Field(ge=1, le=60_000)] = 1_800
    """Milliseconds after which it does on a busy machine; a caller's deadline ends it earlier."""

    anchor_conditions: Annotated[int, Field(ge=1, le=32)] = 10
    """Most conditions in a rule."""

    call_graphs: Annotated[int, Field(ge=1)] = 512
    """Perturbed graphs in one call to the predictor; no more than its DNS_RISK_MAX_BATCH_GRAPHS."""

    call_nodes: Annotated[int, Field(ge=64)] = 16_384
    """Nodes in one call, which bound its bytes; no more than its DNS_RISK_MAX_BATCH_NODES."""

    @model_validator(mode="after")
    def _check_room(self) -> ExplainerSettings:
        if self.max_instances > self.max_waiting:
            raise ValueError(
                f"max_instances ({self.max_instances}) is over max_waiting ({self.max_waiting}): "
                "such a request would never be let in"
            )
        return self
