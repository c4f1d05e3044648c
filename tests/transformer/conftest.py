"""One transformer, in front of one predictor, for all wire tests that leave them as they found them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.services import import_passive_dns, scripted_predictor, transformer
from tests.serving.server_process import ServerProcess
from tests.transformer.passive_dns import RECORDS


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph store of the hand-made passive DNS, imported by the command that users run."""
    directory = tmp_path_factory.mktemp("graph-store")
    lines = [
        json.dumps(
            {"rrname": name, "rrtype": kind, "rdata": data, "time_first": 10, "time_last": 20, "count": 1}
        )
        for name, kind, data in RECORDS
    ]
    source = directory / "records.jsonl"
    source.write_text("\n".join(lines))
    import_passive_dns(directory, source)
    return directory


@pytest.fixture(scope="session")
def service(risk_predictor: ServerProcess, store: Path) -> Iterator[ServerProcess]:
    """A ready transformer."""
    with transformer(risk_predictor.grpc_port, store) as process:
        yield process


@pytest.fixture(scope="session")
def http(service: ServerProcess) -> Iterator[httpx.Client]:
    """A REST client of it that keeps its connection."""
    with httpx.Client(base_url=service.rest_url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the scripted predictor records what it is sent."""
    return tmp_path_factory.mktemp("recorded")


@pytest.fixture(scope="session")
def scripted(recorded: Path, store: Path) -> Iterator[ServerProcess]:
    """A transformer in front of a scripted predictor."""
    with scripted_predictor(recorded) as peer, transformer(peer.grpc_port, store) as process:
        yield process
        assert peer.process.poll() is None
