"""Progress of an import: a bar on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from typing import Final

from tqdm import tqdm

logger = logging.getLogger(__name__)

LOG_EVERY_S: Final = 10.0


class StageProgress:
    """Shows how far each stage is, one stage after another."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm[None] | None = None
        self._logged = time.monotonic()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` is done of a stage; a total of 0 is not known."""
        if sys.stderr.isatty():
            self._draw(stage, done, total)
        elif time.monotonic() - self._logged >= LOG_EVERY_S:
            self._logged = time.monotonic()
            logger.info("%s: %s of %s", stage, f"{done:,}", f"{total:,}" if total else "unknown")

    def _draw(self, stage: str, done: int, total: int) -> None:
        if self._bar is None or stage != self._stage:
            self.close()
            self._stage = stage
            self._bar = tqdm(total=total or None, desc=stage, unit_scale=True)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leave the terminal on a line of its own."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
