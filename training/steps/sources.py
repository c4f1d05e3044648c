"""Which of our source files a step's result depends on: all that its module imports, however far."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
# Packages whose code may change a result; the others only serve it.
OURS: Final = ("contract", "explainer", "predictor", "training", "transformer")


def digest(module: str) -> str:
    """SHA-256 over a module's source and that of every module of ours it imports, however far.

    >>> digest("training.data") != digest("training.pools")
    True
    """
    whole = hashlib.sha256()
    for path in sorted(_reached(module)):
        whole.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return whole.hexdigest()


def _reached(module: str) -> set[Path]:
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _path_of(waiting.pop())
        if path is not None and path not in found:
            found.add(path)
            waiting += _imports(path)
    return found | {file for path in found for file in _tables_beside(path)}


def _path_of(module: str) -> Path | None:
    bare = ROOT.joinpath(*module.split("."))
    candidates = (bare.with_suffix(".py"), bare / "__init__.py")
    return next((path for path in candidates if path.exists()), None)


@cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(name for name in _named(ast.parse(path.read_text())) if name.split(".")[0] in OURS)


def _named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # What is imported from a package may be a module of it.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _tables_beside(path: Path) -> Iterator[Path]:
    """Data files of a package, which its modules read."""
    yield from (file for file in (path.parent / "data").glob("*") if file.is_file())
