"""What the transformer can be told; `__main__` is the only reader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from serving.settings import ServingSettings

Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class TransformerSettings(ServingSettings):
    """Front, graph store, predictor and policy, from `DNS_RISK_*`."""

    predictor_host: Annotated[str, Field(pattern=r"^[^\s/]+$")] = "127.0.0.1:8083"
    """host:port of the predictor's gRPC (flag --predictor_host); a headless Service spreads the load."""

    graph_store: Path = Path("graph-store")
    """Directory that `python -m transformer.graph_store import` fills; none yet means lexical scores."""

    private_addresses: bool = False
    """Whether addresses of private networks (RFC 1918, RFC 6598, unique local) may be evidence in answers."""

    snapshot_poll_s: Annotated[float, Field(gt=0.0, le=3600.0)] = 1.0
    """Seconds between looks for a newer snapshot."""

    max_domains: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Domains in one request; more are refused 400 / INVALID_ARGUMENT."""

    max_queue_domains: Annotated[int, Field(ge=1, le=1_048_576)] = 16_384
    """Domains of all requests that may wait for their score; more is refused 429 / RESOURCE_EXHAUSTED."""

    fallback_model_dir: Path | None = None
    """Model version that scores names by spelling while the predictor is away; unset: 503 / UNAVAILABLE."""

    score_cache_names: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """Names whose scores are remembered, about 1 KiB each; 0: none."""

    score_cache_ttl_s: Annotated[float, Field(gt=0.0, le=86_400.0)] = 60.0
    """Seconds for which a score is remembered, at most until snapshot or model change."""

    monitor_threshold: Probability | None = None
    """Risk score from which the action is `monitor`; unset, the model's own operating point."""

    block_threshold: Probability | None = None
    """Risk score from which the action is `block`; unset, the model's own operating point."""

    @model_validator(mode="after")
    def _check_policy(self) -> TransformerSettings:
        monitor, block = self.monitor_threshold, self.block_threshold
        if monitor is not None and block is not None and monitor > block:
            raise ValueError(f"monitor_threshold ({monitor}) is over block_threshold ({block})")
        return self
