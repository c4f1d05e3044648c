"""Two processes under torchrun fit the model that one fits."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from inference_services.processes import free_ports
from tests.serving.server_process import REPOSITORY
from tests.training.fits import LONGER, fit_command, kill_after_a_checkpoint
from tests.training.tiny_data import QUICK, workshop, write, write_data
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
DROPPING = replace(QUICK, lexical_epochs=3.0, lexical_batch=256, evidence_steps=20)


@pytest.fixture(scope="module")
def features(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workshop(data, tmp_path_factory.mktemp("features"), EXACT).make("featurize")


# Gloo would look up this machine's name otherwise.
ENVIRONMENT = {**os.environ, "GLOO_SOCKET_IFNAME": "lo"}
TORCHRUN = (
    *("-m", "torch.distributed.run", "--nproc-per-node=2"),
    *("--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1"),
)


def fit(features: Path, output: Path, recipe: Recipe, launcher: Sequence[str] = ()) -> dict[str, float]:
    """The validation figures that the command prints."""
    done = subprocess.run(
        fit_command(features, output, recipe, launcher),
        cwd=REPOSITORY,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: float(value) for name, value in re.findall(r"^(\w+)=(\S+)$", done.stdout, re.MULTILINE)}


@pytest.mark.parametrize("recipe", [EXACT, ROWLESS], ids=["odd shares", "no rows"])
def test_two_processes_fit_the_model_of_one(features: Path, tmp_path: Path, recipe: Recipe) -> None:
    """With nothing drawn by each for itself: the same weights and figures, but for the order of sums."""
    alone = fit(features, tmp_path / "alone", recipe)
    together = fit(features, tmp_path / "together", recipe, TORCHRUN)
    for part in ("explored", "fitted"):
        expected = load_file(tmp_path / "alone" / f"{part}.safetensors")
        got = load_file(tmp_path / "together" / f"{part}.safetensors")
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    assert together == pytest.approx(alone, abs=1e-3)


def test_processes_that_share_no_storage_are_refused(features: Path, tmp_path: Path) -> None:
    """Where only one of them sees the checkpoint to go on from, the fit ends with the reason."""
    outputs = tmp_path / "first", tmp_path / "second"
    commands = [fit_command(features, output, LONGER) for output in outputs]
    kill_after_a_checkpoint(commands[0], outputs[0])
    port = str(free_ports(1)[0])
    where = {**ENVIRONMENT, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    pods = [
        subprocess.Popen(
            given, cwd=REPOSITORY, env={**where, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True
        )
        for rank, given in enumerate(commands)
    ]
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
    together = fit(real_features, tmp_path / "together", DROPPING, TORCHRUN)["validation_names_auc"]
    assert 0.7 < alone < 0.99
    assert together == pytest.approx(alone, abs=0.01)
