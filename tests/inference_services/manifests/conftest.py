from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from inference_services.manifests.__main__ import crd_folder
from inference_services.manifests.render import OVERLAYS, Manifest, RenderFailed, render
from inference_services.manifests.schemas import NoSchemas, Schemas
from tests.serving.server_process import REPOSITORY


@cache
def _rendered(overlay: Path) -> list[Manifest]:
    return render(overlay)


@pytest.fixture
def rendered() -> Callable[[str], list[Manifest]]:
    """The objects of an overlay by its name, to change at will."""

    def objects(name: str) -> list[Manifest]:
        try:
            return copy.deepcopy(_rendered(OVERLAYS / name))
        except RenderFailed as failure:
            if "PATH" in str(failure):
                pytest.skip(str(failure))
            raise

    return objects


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    """The CRD schemas, where there are some."""
    folder = crd_folder()
    try:
        return Schemas(folder if folder.is_absolute() else REPOSITORY / folder)
    except NoSchemas as absent:
        pytest.skip(str(absent))
