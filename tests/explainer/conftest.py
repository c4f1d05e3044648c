"""One explainer in front of a transformer and a predictor with the shipped model, for all wire tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.services import SAMPLE, SHIPPED_MODEL, explainer, import_passive_dns, predictor, transformer
from tests.serving.server_process import ServerProcess


@dataclass(frozen=True, slots=True)
class Services:
    """The three of them."""

    predictor: ServerProcess
    transformer: ServerProcess
    explainer: ServerProcess


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph store of the shipped sample."""
    directory = tmp_path_factory.mktemp("graph-store")
    import_passive_dns(directory, SAMPLE)
    return directory


@pytest.fixture(scope="session")
def explained(sample_store: Path) -> Iterator[Services]:
    """All ready; a search for a rule ends by itself, however many share the machine."""
    with (
        predictor(SHIPPED_MODEL) as scoring,
        transformer(scoring.grpc_port, sample_store) as features,
        explainer(scoring.grpc_port, features.grpc_port, SHIPPED_MODEL, anchor_ms=30_000) as explaining,
    ):
        yield Services(scoring, features, explaining)


@pytest.fixture(scope="session")
def http(explained: Services) -> Iterator[httpx.Client]:
    """A REST client of the explainer that keeps its connection."""
    with httpx.Client(base_url=explained.explainer.rest_url, timeout=60) as client:
        yield client
