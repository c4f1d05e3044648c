"""Two processes under torchrun fit the model that one fits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.serving.server_process import REPOSITORY
from tests.training.tiny_data import QUICK, toml, workshop
from training.recipe import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# Without what each process draws for itself. Batches of odd sizes: the processes' shares differ in length.
EXACT = replace(
    QUICK,
    ngram_keep=1.0,
    lexical_dropout=0.0,
    evidence_dropout=0.0,
    lexical_epochs=2.0,
    lexical_batch=63,
    evidence_steps=30,
    evidence_batch=31,
    edge_drop_rows=0.3,
)
# One row a batch: the second process has none. Few decoys: they are gone through again within a batch.
ROWLESS = replace(EXACT, lexical_epochs=0.02, lexical_batch=1, evidence_steps=8, evidence_batch=1)
FEW_DECOYS = replace(EXACT, lexical_epochs=0.3, evidence_steps=10, decoys=7)


@pytest.fixture(scope="module")
def features(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workshop(data, tmp_path_factory.mktemp("features"), EXACT).make("featurize")


def fit(features: Path, output: Path, recipe: Recipe, processes: int = 1) -> dict[str, float]:
    """The validation figures that the command prints."""
    file = output.with_suffix(".toml")
    file.write_text(toml(recipe))
    command = [sys.executable, "-m"]
    if processes > 1:
        command += ["torch.distributed.run", "--nproc-per-node", str(processes)]
        command += [
            "--rdzv-backend",
            "c10d",
            "--rdzv-endpoint",
            "127.0.0.1:0",
            "--local-addr",
            "127.0.0.1",
            "-m",
        ]
    command += [
        "training",
        "fit",
        "--features",
        str(features),
        "--output",
        str(output),
        "--recipe",
        str(file),
    ]
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: float(value) for name, value in re.findall(r"^(\w+)=(\S+)$", done.stdout, re.MULTILINE)}


@pytest.mark.parametrize("recipe", [EXACT, ROWLESS], ids=["odd shares", "no rows"])
def test_two_processes_fit_the_model_of_one(features: Path, tmp_path: Path, recipe: Recipe) -> None:
    """With nothing drawn by each for itself: the same weights and figures, but for the order of sums."""
    alone = fit(features, tmp_path / "alone", recipe)
    together = fit(features, tmp_path / "together", recipe, processes=2)
    for part in ("explored", "fitted"):
        expected = load_file(tmp_path / "alone" / f"{part}.safetensors")
        got = load_file(tmp_path / "together" / f"{part}.safetensors")
        torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)
    assert together == pytest.approx(alone, abs=1e-3)


def test_with_dropout_two_processes_fit_a_model_as_good(features: Path, tmp_path: Path) -> None:
    """Each drops what it draws, so weights differ; the validation AUC is the same within .01."""
    dropping = replace(EXACT, ngram_keep=0.3, lexical_dropout=0.1, evidence_dropout=0.1)
    alone = fit(features, tmp_path / "alone", dropping)
    together = fit(features, tmp_path / "together", dropping, processes=2)
    assert alone["validation_names_auc"] > 0.9
    for figure in ("validation_names_auc", "validation_graph_auc"):
        assert together[figure] == pytest.approx(alone[figure], abs=0.01), figure
