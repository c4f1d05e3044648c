"""KFP's SDK in an environment of its own: it forbids versions of packages that rollouts and load tests need."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.serving.server_process import REPOSITORY


def python_with_kfp(folder: Path) -> str:
    """The interpreter of an environment with all of this one's packages, and KFP's before them."""
    if find_spec("kfp") is not None:
        return sys.executable
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    (site,) = folder.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (site / "ours.pth").write_text("\n".join(ours) + "\n")
    python = str(folder / "bin" / "python")
    command = [python, "-m", "pip", "install", "--quiet", *requirements()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"KFP cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    return python


def requirements() -> list[str]:
    """What the extra `kfp` adds to training."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extra: list[str] = project["optional-dependencies"]["kfp"]
    return [requirement for requirement in extra if not requirement.startswith("dns-risk")]
