"""`python -m tests.chaos.warm_predictor FILE`: the predictor with its imports done, which starts when FILE is there.

FILE holds the settings to start with as a JSON object of environment variables.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import predictor.__main__ as service

_POLL_S = 0.01


def main(order: Path) -> None:
    """Wait, then be the predictor."""
    parent = os.getppid()
    while not order.exists():
        # Who gave up on it left no file.
        if os.getppid() != parent:
            return
        time.sleep(_POLL_S)
    os.environ.update(json.loads(order.read_text()))
    service.main([])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
