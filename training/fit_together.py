"""The fit alone, by as many processes as `torchrun` starts; the first one writes and reports."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from training.choice import choose
from training.data import UnusableData, sha256
from training.peers import join_peers, leave_peers
from training.recipe import Recipe
from training.steps.featurize import read_samples
from training.steps.train import read_trained, train


def fit_together(features: Path, recipe: Recipe, output: Path) -> None:
    """Fit, write what the step `train` writes, and print the validation figures, a line `name=value` each.

    A fit that was killed goes on from its checkpoints, which lie beside the output, by recipe and samples.

    Raises:
        UnusableData: `features` is no result of the step `featurize`; processes do not share checkpoints.
    """
    if not (features / "samples.npz").exists():
        raise UnusableData(f"{features}: expected a result of step featurize, with samples.npz")
    kept = output.with_name(f"{output.name}.partial")
    peers = join_peers()
    with tempfile.TemporaryDirectory(prefix="fit-") as folder:
        train(features, recipe, Path(folder), kept / fingerprint(features, recipe), peers)
        if peers.first:
            shutil.copytree(folder, output, dirs_exist_ok=True)
            report(features, output)
            shutil.rmtree(kept)
    leave_peers(peers)


def fingerprint(features: Path, recipe: Recipe) -> str:
    """16 hex digits over all that decides a fit: no checkpoint of another one is gone on from."""
    files = {path.name: sha256(path) for path in sorted(features.glob("*.npz"))}
    canonical = json.dumps([recipe.as_dict(), files]).encode()
    return hashlib.sha256(canonical).hexdigest()[:16]


def report(features: Path, fitted: Path) -> None:
    """Print the figures of the validation rows, as Katib's collector of standard output reads them."""
    explored, _, _ = read_trained(fitted)
    for name, figure in choose(explored, read_samples(features)).metrics.items():
        print(f"{name}={figure:.6f}", flush=True)
