"""The pipeline: its steps in order."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from training.steps.background import BACKGROUND
from training.steps.calibrate import CALIBRATE
from training.steps.check import CHECK
from training.steps.evaluate import EVALUATE
from training.steps.featurize import FEATURIZE
from training.steps.load import LOAD
from training.steps.package import PACKAGE
from training.steps.split import SPLIT
from training.steps.train import TRAIN

PLAN: Final = (LOAD, CHECK, SPLIT, FEATURIZE, TRAIN, CALIBRATE, EVALUATE, BACKGROUND, PACKAGE)
STEPS: Final = MappingProxyType({step.name: step for step in PLAN})
