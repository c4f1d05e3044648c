import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "contract",
    "serving",
    "predictor",
    "transformer",
    "explainer",
    "training",
    "inference_services",
    "load_tests",
    "resolver",
)


def modules_with_examples() -> list[str]:
    """Modules whose docstrings show a prompt; those that need kserve cannot share a process with Triton's client."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            if ">>> " in text and "kserve" not in text:
                found.append(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings_are_true(name: str) -> None:
    """What a docstring shows is what happens."""
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0
