import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from contract.feature_schema import FEATURE_SCHEMA
from load_tests.waiting import poll
from predictor.checkpoint import WEIGHTS_FILE, load
from predictor.scorer import Scorer
from training.data import GRAPH_EDGES, GRAPH_NODES, TRAIN_NAMES
from training.recipe import Recipe
from training.steps.cache import Workshop
from training.steps.plan import STEPS
from transformer.featurize import featurize
from transformer.graph_store import Snapshot

QUICK = Recipe(
    synthetic_names=60,
    lexical_epochs=6.0,
    lexical_batch=64,
    evidence_steps=200,
    evidence_batch=32,
    decoys=120,
)
WORDS = ("alpha", "garden", "river", "market", "school", "museum", "coffee", "travel", "music", "paper")


def write(path: Path, header: str, rows: list[str]) -> None:
    path.write_bytes(gzip.compress("\n".join([header, *rows, ""]).encode()))


def benign(number: int) -> str:
    return f"{WORDS[number % 10]}-{WORDS[number // 10 % 10]}{number}.org"


def generated(rng: np.random.Generator) -> str:
    return "".join(rng.choice(list("qxzjkvwhpb0123456789"), 14)) + ".top"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the documented formats, in which malice is plain to see."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    rows = [f"{benign(number)},0,benign,benign,top-stable,2020-01-01,train,strong" for number in range(300)]
    for number in range(300):
        family = "pushdo" if number % 6 == 0 else "murofet-like"
        rows.append(f"{generated(rng)},1,dga,{family},baderj-dga,,train,strong")
    for number in range(20):
        kind = ("malware", "phishing")[number % 2]
        rows.append(f"{generated(rng)},1,{kind},loader,maltrail,,train,strong")
    header = "domain,label,category,family,source,first_seen,split_reason,label_quality"
    write(folder / TRAIN_NAMES, header, rows)
    nodes, edges = [], []
    for number in range(80):
        name = generated(rng) if number % 2 else benign(1000 + number)
        split = "val" if number % 5 == 0 else "train"
        nodes.append(f"{number},domain,{name},{name},{number % 2},{split}")
        edges.append(f"{number},{100 + number % 2 * 3 + number % 3},resolves")
    nodes += [f"{100 + number},ip,ip-{100 + number},,," for number in range(6)]
    write(folder / GRAPH_NODES, "id,type,name,registered_domain,label,split", nodes)
    write(folder / GRAPH_EDGES, "src,dst,type", edges)
    return folder


def workshop(data: Path, root: Path) -> Workshop:
    return Workshop(data, root, QUICK, "7", STEPS)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def trained(data: Path, work: Path) -> Path:
    return workshop(data, work).make("calibrate")


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
def test_a_killed_fit_goes_on_to_the_same_weights(data: Path, work: Path, tmp_path: Path) -> None:
    """Killed while it fits, the command given again goes on from a checkpoint and makes the same model."""
    uninterrupted = workshop(data, work).make("train")
    features = workshop(data, work).folder("featurize")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("".join(f"{name} = {value}\n" for name, value in QUICK.as_dict().items()))
    output = tmp_path / "fitted"
    command = [sys.executable, "-m", "training", "fit"]
    command += ["--features", str(features), "--output", str(output), "--recipe", str(recipe)]
    checkpoint = output.with_suffix(".partial") / "explore" / "lexical.safetensors"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        poll(checkpoint.exists, limit_s=120)
        process.kill()
    assert not output.exists()
    again = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "going on from step" in again.stderr
    assert not checkpoint.exists()
    for file in uninterrupted.iterdir():
        assert (output / file.name).read_bytes() == file.read_bytes(), file.name
