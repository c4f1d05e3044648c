"""The versions that faults swap in are real ones, and differ from the shipped one as they are meant to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from predictor.checkpoint import UnusableCheckpoint, load
from tests.chaos.models import SHIFT, of_other_schema, shifted
from tests.services import SHIPPED_MODEL


def test_the_shifted_one_scores_otherwise(tmp_path: Path) -> None:
    """It can be loaded, says another version, and differs in its calibration alone."""
    (ours, ours_config), (shipped, shipped_config) = load(shifted(tmp_path / "shifted")), load(SHIPPED_MODEL)
    assert ours_config.version != shipped_config.version
    moved = {
        name
        for name, value in ours.state_dict().items()
        if not torch.equal(value, shipped.state_dict()[name])
    }
    assert moved == {"calibration"}
    assert torch.allclose(ours.calibration[:, 1] - shipped.calibration[:, 1], torch.tensor(SHIFT))


def test_another_schema_is_refused_by_this_build(tmp_path: Path) -> None:
    """Only the predictor of the other release takes it."""
    with pytest.raises(UnusableCheckpoint, match="another-release"):
        load(of_other_schema(tmp_path / "other"))
