"""What a worker is told: a run, and its part of it."""

from __future__ import annotations

from pathlib import Path

from load_tests.load.profile import Profile, Segment
from load_tests.load.target import Target
from load_tests.load.toml_file import Section


class Assignment(Section):
    """Every worker makes the whole plan from this, and sends every `workers`-th request of it."""

    target: Target
    profile: Profile
    segments: tuple[Segment, ...]
    query_log: Path | None
    salt: str
    seed: int
    outcomes: Path
    """folder for `worker-<number>.npz`"""
    worker: int = 0
    workers: int = 1

    @property
    def seconds(self) -> float:
        """How long requests are sent."""
        return sum(segment.seconds for segment in self.segments)

    @property
    def timeout_s(self) -> float:
        """How long a caller waits for its answer."""
        return self.profile.timeout_ms / 1000

    @property
    def file(self) -> Path:
        """Where this worker's outcomes go."""
        return self.outcomes / f"worker-{self.worker}.npz"
