import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from contract.feature_schema import FEATURE_SCHEMA
from predictor.checkpoint import load
from predictor.scorer import Scorer
from training.data import GRAPH_EDGES, GRAPH_NODES, TRAIN_NAMES
from training.recipe import Recipe
from training.train import train
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


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("model") / "7"
    train(data, output, "7", QUICK)
    return output


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


def test_the_same_data_and_seed_give_the_same_scores(data: Path, trained: Path, tmp_path: Path) -> None:
    """A second run of the same command makes the same model."""
    train(data, tmp_path / "7", "7", QUICK)
    for name in ("coffee-museum77.org", "x1.top"):
        assert score_of(tmp_path / "7", name) == pytest.approx(score_of(trained, name), abs=1e-5)
