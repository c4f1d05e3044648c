"""Predictors that are warm: a fault needs the next one sooner than torch is imported."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.serving.server_process import ServerProcess


class Standby(ServerProcess):
    """A predictor that waits for its ports and settings."""

    def __init__(self, folder: Path, number: int) -> None:
        """Begin to import."""
        self._order = folder / f"standby-{number}.json"
        super().__init__(("tests.chaos.warm_predictor", str(self._order)))

    def begin(self, ports: tuple[int, int], settings: Mapping[str, object]) -> None:
        """Start to serve."""
        self.rest_port, self.grpc_port = ports
        given = {"rest_port": ports[0], "grpc_port": ports[1], **settings}
        variables = {f"DNS_RISK_{name.upper()}": str(value) for name, value in given.items()}
        pending = self._order.with_suffix(".pending")
        pending.write_text(json.dumps(variables))
        # Whole at once, for who waits for it.
        pending.rename(self._order)


class Standbys:
    """Always a few that are warm; those that were not needed end with it."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._made = 0
        self._warm = [self._next() for _ in range(count)]

    def _next(self) -> Standby:
        self._made += 1
        return Standby(self._folder, self._made)

    def take(self) -> Standby:
        """The warmest; another one begins to warm up."""
        self._warm.append(self._next())
        return self._warm.pop(0)

    def stop(self) -> None:
        """End those that wait."""
        for process in self._warm:
            process.process.kill()
            process.stop()
