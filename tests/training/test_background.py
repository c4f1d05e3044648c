"""The background that training writes: made of a version's training names, and the version's alone."""

from __future__ import annotations

import csv
import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from explainer.background import BACKGROUND_FILE, Background, load_background
from tests.checkpoints import write_checkpoint
from training.background import NAMES_OF_KIND, make_background, unremarkable
from training.data import TRAIN_NAMES
from training.pools import featurized
from transformer.graph_store import Snapshot

WORDS = ("weather", "mountain", "river", "garden", "library", "market", "station", "harbour", "village")
CATEGORIES = ("benign", "dga", "malware", "phishing")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training names of every category."""
    directory = tmp_path_factory.mktemp("data")
    with gzip.open(directory / TRAIN_NAMES, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["domain", "category", "family", "source", "first_seen", "label_quality"])
        for category in CATEGORIES:
            for first in WORDS:
                for second in WORDS:
                    writer.writerow([f"{first}{second}.com", category, "", "", "", "strong"])
                    writer.writerow([f"www.{first}-{second}.org", category, "", "", "", "strong"])
        # Likely among the names of the other kinds, and fitted to none of them.
        for first in WORDS:
            for second in (word[:-1] for word in WORDS):
                writer.writerow([f"{second}{first}.net", "benign", "", "", "", "weak"])
    return directory


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    directory = tmp_path_factory.mktemp("model") / "1"
    write_checkpoint(directory)
    make_background(data, directory, 0)
    return directory


@pytest.fixture(scope="module")
def background(version: Path) -> Background:
    return load_background(version)


def test_it_belongs_to_the_version(background: Background) -> None:
    """It names the version whose directory it lies in, and has as many names as asked for."""
    assert background.config.model_version == "test-1"
    assert len(background.names.parts) == sum(NAMES_OF_KIND.values())


def test_no_name_is_of_the_training_files(background: Background, data: Path) -> None:
    """Not even a label: nothing of the data leaves with the weights."""
    with gzip.open(data / TRAIN_NAMES, "rt") as file:
        labels = {row["domain"].split(".")[-2].encode() for row in csv.DictReader(file)}
    assert labels.isdisjoint({label for _, label, _ in background.names.parts})


def test_the_reference_is_plain(background: Background) -> None:
    """It has letters only and no sub-domain, so it lends the absence of everything else."""
    subdomain, label, suffix = background.names.parts[background.config.reference]
    assert (subdomain, suffix) in {(b"", b"com"), (b"", b"org")}
    assert label.isalpha()
    assert 0 < background.config.reference_score < 1


def test_the_same_data_give_the_same_bytes(version: Path, data: Path, tmp_path: Path) -> None:
    """No clock and no chance in it."""
    shutil.copytree(version, tmp_path, dirs_exist_ok=True)
    (tmp_path / BACKGROUND_FILE).unlink()
    make_background(data, tmp_path, 0)
    assert (tmp_path / BACKGROUND_FILE).read_bytes() == (version / BACKGROUND_FILE).read_bytes()


def test_the_middle_plain_benign_name_is_chosen() -> None:
    """Neither a name with digits, nor a malicious one, nor one whose score is far from the middle."""
    names = ["first.com", "second2.com", "third.com", "fourth.com", "www.fifth.com"]
    graphs, _ = featurized(Snapshot.empty(), names, "names")
    scores = np.array([0.9, 0.3, 0.31, 0.3, 0.3], np.float32)
    benign = np.array([True, True, True, False, True])
    assert unremarkable(graphs, scores, benign) == 2
