from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.tiny_data import workshop, write_data


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny data set."""
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="session")
def trained(data: Path, work: Path) -> Path:
    return workshop(data, work).make("calibrate")
