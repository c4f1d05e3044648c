"""The versions that are rolled out are real ones, and worse in the way that they are meant to be."""

from __future__ import annotations

import pytest
import torch

from predictor.checkpoint import load
from tests.canary_demo.demo import SHIPPED
from tests.canary_demo.versions import SHIFT, Version, make_versions


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Version]:
    return make_versions(SHIPPED, tmp_path_factory.mktemp("models"))


def test_each_is_a_version_of_its_own(versions: dict[str, Version]) -> None:
    """It can be loaded, and says another version than the shipped one."""
    named = {load(version.directory)[1].version for version in versions.values()}
    assert named == {version.version for version in versions.values()}
    assert load(SHIPPED)[1].version not in named


def test_the_good_one_is_equal(versions: dict[str, Version]) -> None:
    """Weight by weight."""
    shipped, good = (load(directory)[0].state_dict() for directory in (SHIPPED, versions["good"].directory))
    assert all(torch.equal(shipped[name], good[name]) for name in shipped)


def test_the_shifted_one_scores_higher(versions: dict[str, Version]) -> None:
    """Its log-odds are the shipped one's and a constant."""
    shipped, shifted = (load(d)[0].calibration for d in (SHIPPED, versions["shifted"].directory))
    assert torch.allclose(shifted[:, 1] - shipped[:, 1], torch.tensor(SHIFT))
    assert torch.equal(shifted[:, 0], shipped[:, 0])
