"""The shipped model behind a transformer, for all tests that leave both as they found them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.services import SAMPLE, SHIPPED_MODEL, import_passive_dns, predictor, transformer
from tests.serving.server_process import ServerProcess


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder whose name is short: a unix socket's path has 107 octets at most."""
    with TemporaryDirectory(prefix="dr-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def graph_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample of passive DNS."""
    store = tmp_path_factory.mktemp("graph-store")
    import_passive_dns(store, SAMPLE)
    return store


@pytest.fixture(scope="session")
def shipped_predictor() -> Iterator[ServerProcess]:
    """A predictor with the shipped model."""
    with predictor(SHIPPED_MODEL) as process:
        yield process


@pytest.fixture(scope="session")
def scoring(shipped_predictor: ServerProcess, graph_store: Path) -> Iterator[ServerProcess]:
    """A transformer before it."""
    with transformer(shipped_predictor.grpc_port, graph_store) as process:
        yield process
