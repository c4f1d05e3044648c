"""Two processes under torchrun fit the model that one fits."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from inference_services.processes import free_ports
from load_tests.waiting import poll
from tests.serving.server_process import REPOSITORY
from tests.training.tiny_data import QUICK, toml, workshop, write, write_data
from training.data import TRAIN_NAMES
from training.recipe import Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SHARED = Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "data"
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
# One row a batch: the second process has none.
ROWLESS = replace(EXACT, lexical_epochs=0.02, lexical_batch=1, evidence_steps=8, evidence_batch=1)
# Long enough to be killed after a checkpoint.
LONGER = replace(QUICK, lexical_batch=12)
DROPPING = replace(QUICK, lexical_epochs=3.0, lexical_batch=256, evidence_steps=20)


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
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    assert together == pytest.approx(alone, abs=1e-3)


def rank(number: int, port: int, features: Path, output: Path, recipe: Path) -> subprocess.Popen[str]:
    """One of two processes, as an operator starts them: each with an output folder that is its own."""
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "RANK": str(number)}
    command = [sys.executable, "-m", "training", "fit", f"--features={features}", f"--output={output}"]
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", **where}
    return subprocess.Popen(
        [*command, f"--recipe={recipe}"], cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True
    )


def test_processes_that_share_no_storage_are_refused(features: Path, tmp_path: Path) -> None:
    """Where only one of them sees the checkpoint to go on from, the fit ends with the reason."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(toml(LONGER))
    outputs = tmp_path / "first", tmp_path / "second"
    (port,) = free_ports(1)
    alone = [sys.executable, "-m", "training", "fit", f"--features={features}", f"--output={outputs[0]}"]
    with subprocess.Popen(
        [*alone, f"--recipe={recipe}"], cwd=REPOSITORY, stderr=subprocess.DEVNULL
    ) as killed:
        poll(lambda: any(tmp_path.glob("first.partial/*/explore/lexical.safetensors")), limit_s=300)
        killed.kill()
    pods = [rank(number, port, features, output, recipe) for number, output in enumerate(outputs)]
    try:
        said = pods[1].communicate(timeout=300)[1]
    finally:
        for pod in pods:
            pod.kill()
            pod.communicate()
    assert pods[1].returncode == 1
    assert re.search(
        r"the first process goes on from step \d+, this one from 0: keep the output on storage", said
    )


@pytest.fixture(scope="module")
def real_features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples of every fortieth row of the training names, hard enough to be told apart by halves only."""
    if not (SHARED / TRAIN_NAMES).exists():
        pytest.skip("needs the labelled data (DNS_RISK_SHARED)")
    folder = write_data(tmp_path_factory.mktemp("real"))
    with gzip.open(SHARED / TRAIN_NAMES, "rt") as names:
        header, *rows = names.read().splitlines()
    write(folder / TRAIN_NAMES, header, rows[::40])
    return workshop(folder, tmp_path_factory.mktemp("features"), DROPPING).make("featurize")


def test_with_dropout_two_processes_fit_a_model_as_good(real_features: Path, tmp_path: Path) -> None:
    """Each drops what it draws, so weights differ; the validation AUC is the same within .01."""
    alone = fit(real_features, tmp_path / "alone", DROPPING)["validation_names_auc"]
    together = fit(real_features, tmp_path / "together", DROPPING, processes=2)["validation_names_auc"]
    assert 0.7 < alone < 0.99
    assert together == pytest.approx(alone, abs=0.01)
