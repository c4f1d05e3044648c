"""`python -m tests.chaos.shifted_model FOLDER`: a version with other scores; a process of its own, for torch's sake."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.canary_demo.versions import make_versions
from tests.services import SHIPPED_MODEL

if __name__ == "__main__":
    make_versions(SHIPPED_MODEL, Path(sys.argv[1]))
