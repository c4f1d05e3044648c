"""One predictor for all wire tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.predictor.graph_requests import Client
from tests.serving.server_process import ServerProcess


@pytest.fixture(scope="session")
def server(risk_predictor: ServerProcess) -> ServerProcess:
    """A ready predictor with random weights."""
    return risk_predictor


@pytest.fixture(scope="session")
def client(server: ServerProcess) -> Iterator[Client]:
    """Connections to it on both protocols."""
    connected = Client(server)
    yield connected
    connected.close()
