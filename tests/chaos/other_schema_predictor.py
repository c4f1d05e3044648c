"""`python -m tests.chaos.other_schema_predictor`: the real predictor of a release that computes other features."""

from __future__ import annotations

import sys

import contract.feature_schema as features
from tests.chaos.models import OTHER_SCHEMA

if __name__ == "__main__":
    # Before anybody has read it.
    features.FEATURE_SCHEMA = OTHER_SCHEMA  # type: ignore[misc]
    import predictor.__main__ as service

    service.main(sys.argv[1:])
