"""Shapes and dtypes are enforced while the tests run; nothing of that is paid in production."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

# beartype must see the packages before any test imports them.
from jaxtyping import install_import_hook

from tests.services import predictor
from tests.serving.fronts import FRONTS, settings_of
from tests.serving.server_process import ServerProcess

with warnings.catch_warnings():
    install_import_hook(
        ("contract", "predictor", "transformer", "explainer", "serving", "training", "resolver"),
        "beartype.beartype",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test marked `every_front` once for each, or for those given, where it meets a front at all."""
    marker = metafunc.definition.get_closest_marker("every_front")
    if marker is not None and "front" in metafunc.fixturenames:
        metafunc.parametrize("front", marker.args or FRONTS, indirect=True, scope="session")


@pytest.fixture(scope="session")
def front(request: pytest.FixtureRequest) -> str:
    """The gRPC front of a test marked `every_front`; "" where a test takes the default one."""
    return getattr(request, "param", "")


@pytest.fixture(scope="session")
def front_settings(front: str) -> dict[str, str]:
    """What a service is told to take that front."""
    return settings_of(front)


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded random checkpoint, the same in every run."""
    # Tests without a model need not wait for torch to be imported.
    from tests.checkpoints import write_checkpoint  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("model")
    write_checkpoint(directory)
    return directory


@pytest.fixture(scope="session")
def risk_predictor(model_dir: Path, front_settings: dict[str, str]) -> Iterator[ServerProcess]:
    """A ready predictor with that checkpoint, for tests that leave it as they found it."""
    with predictor(model_dir, **front_settings) as process:
        yield process
