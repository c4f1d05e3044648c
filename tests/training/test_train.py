import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from contract.feature_schema import FEATURE_SCHEMA
from predictor.checkpoint import WEIGHTS_FILE, load
from predictor.scorer import Scorer
from tests.serving.server_process import REPOSITORY
from tests.training.fits import LONGER, fit_command, kill_after_a_checkpoint
from tests.training.tiny_data import QUICK, workshop
from training.data import GRAPH_EDGES, GRAPH_NODES, TRAIN_NAMES
from training.steps.cache import Workshop
from training.steps.plan import STEPS
from transformer.featurize import featurize
from transformer.graph_store import Snapshot


def score_of(directory: Path, name: str) -> float:
    model, _ = load(directory)
    graphs = featurize(Snapshot.empty(), [name]).graphs
    assert graphs is not None
    return float(Scorer(model, torch.device("cpu")).launch([graphs]).result().risk_score[0])


def test_a_version_says_where_it_comes_from(trained: Path) -> None:
    """Schema, data fingerprints, recipe and figures are in the version's configuration."""
    _, config = load(trained)
    assert config.version == "7"
    assert config.feature_schema == FEATURE_SCHEMA
    assert set(config.trained_on) == {TRAIN_NAMES, GRAPH_NODES, GRAPH_EDGES}
    assert config.training["seed"] == 0
    assert config.metrics["validation_names_auc"] > 0.9
    assert config.operating_points.monitor <= config.operating_points.block


def test_a_trained_model_tells_plain_malice_from_plain_names(trained: Path) -> None:
    """Training moves scores the right way, through the featurizer that serves."""
    assert score_of(trained, "coffee-museum77.org") < 0.5
    assert score_of(trained, "qz8xk3vw0jh5pb.top") > 0.6


@pytest.mark.slow
def test_the_same_data_and_seed_give_the_same_weights(data: Path, trained: Path, tmp_path: Path) -> None:
    """A second run of the same steps makes the same model, byte for byte."""
    again = workshop(data, tmp_path).make("calibrate")
    assert (again / WEIGHTS_FILE).read_bytes() == (trained / WEIGHTS_FILE).read_bytes()


def test_what_is_there_is_not_made_again(data: Path, work: Path, trained: Path) -> None:
    """A step whose inputs are as before gives its folder at once, untouched."""
    before = (trained / WEIGHTS_FILE).stat().st_mtime_ns
    assert workshop(data, work).make("calibrate") == trained
    assert (trained / WEIGHTS_FILE).stat().st_mtime_ns == before


def test_other_inputs_are_another_result(data: Path, work: Path, trained: Path) -> None:
    """Another seed or another model version has another folder; what does not depend on it stays."""
    seeded = Workshop(data, work, replace(QUICK, seed=1), "7", STEPS)
    versioned = Workshop(data, work, QUICK, "8", STEPS)
    assert len({trained, seeded.folder("calibrate"), versioned.folder("calibrate")}) == 3
    assert versioned.folder("train") == workshop(data, work).folder("train")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_fit_goes_on_to_the_same_weights(data: Path, work: Path, tmp_path: Path) -> None:
    """Killed while it fits, the command given again goes on from a checkpoint and makes the same model."""
    longer = workshop(data, work, LONGER)
    uninterrupted, features = longer.make("train"), longer.folder("featurize")
    output = tmp_path / "fitted"
    command = fit_command(features, output, LONGER)
    kill_after_a_checkpoint(command, output)
    assert not output.exists()
    again = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert "going on from step" in again.stderr
    assert not output.with_name("fitted.partial").exists()
    for file in uninterrupted.iterdir():
        assert (output / file.name).read_bytes() == file.read_bytes(), file.name
