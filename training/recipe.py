"""Every number of the training procedure, as it is written into the model's configuration."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Chosen on validation rows; see docs/training.md for what else was tried."""

    seed: int = 0

    weak_benign_weight: float = 0.2
    """Benign names seen in few lists contain malice; they count less."""
    medium_weight: float = 0.7
    """Hosts of a single reported URL may be abused rather than bad."""
    synthetic_names: int = 6000
    pronounceable_share: float = 0.67
    local_names: int = 6000
    www_share: float = 0.05
    """Rows repeated with a leading www., which the training files have stripped."""

    lexical_epochs: float = 6.0
    lexical_batch: int = 1024
    lexical_rate: float = 2e-3
    lexical_average: float = 0.999
    ngram_keep: float = 0.3
    """Share of n-grams a sample keeps, so that no single one decides."""
    weight_decay: float = 0.01

    evidence_steps: int = 1500
    evidence_batch: int = 384
    evidence_rate: float = 5e-3
    evidence_average: float = 0.99
    evidence_decay: float = 0.1
    edge_drop: float = 1.0
    edge_drop_rows: float = 0.05
    decoys: int = 40_000
    decoy_hosts: int = 12_000
    decoy_weight: float = 0.1
    """Of the squared shift on neighbourhoods that say nothing."""
    graft_weight: float = 0.05
    """Of the neighbourhood's label under names that were put there."""

    def as_dict(self) -> dict[str, float | int | str]:
        """For the configuration of a model version."""
        return asdict(self)
