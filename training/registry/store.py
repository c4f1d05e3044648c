"""The MLflow store, opened without anything that calls home, and its failures as one line."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mlflow import MlflowClient

MODEL: Final = "dns-risk"
DEFAULT_URI: Final = "sqlite:///mlruns/mlflow.db"
URI_VARIABLE: Final = "MLFLOW_TRACKING_URI"

_SQLITE: Final = "sqlite:///"
_REMOTE: Final = ("http", "https")
# Read by MLflow when it is imported; otherwise it looks its maker's server up with every command.
_SILENT: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_DEFAULTS: Final = {
    # A server that is away is not waited for through seven growing pauses.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    # Commands show progress of their own.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Where there is no git, that is no news.
    "GIT_PYTHON_REFRESH": "quiet",
}
_LONGEST_MESSAGE: Final = 250


class RegistryFailed(Exception):
    """The registry is not there, does not answer, or has no such version; the message is one line."""


def default_uri() -> str:
    """$MLFLOW_TRACKING_URI, else a SQLite file in mlruns/."""
    return os.environ.get(URI_VARIABLE) or DEFAULT_URI


def open_client(uri: str, *, create: bool = False) -> MlflowClient:
    """A client of the store at `sqlite:///FILE` or `http(s)://…`.

    Args:
        uri: where it is.
        create: whether a file that is not there is made.

    Raises:
        RegistryFailed: another kind of URI, no file, or no MLflow.
    """
    _check(uri, create=create)
    mlflow = _mlflow()
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


def artifact_root(uri: str) -> str | None:
    """Where artefacts of a local store lie: beside its file. None where a server decides."""
    file = _sqlite_file(uri)
    return None if file is None else (file.resolve().parent / "artifacts").as_uri()


@contextmanager
def failing_in_one_line(uri: str) -> Iterator[None]:
    """What MLflow and its store raise inside the block, as RegistryFailed."""
    try:
        yield
    except RegistryFailed:
        raise
    # MLflow is imported late and its failures have many kinds; they are told apart by where they come from.
    except Exception as problem:
        if type(problem).__module__.split(".")[0] not in {
            "mlflow",
            "sqlalchemy",
            "sqlite3",
            "requests",
            "alembic",
        }:
            raise
        # The statement behind a failure of SQL is for MLflow's makers.
        said = _bare(uri, " ".join(str(problem).partition("[SQL")[0].split()))
        raise RegistryFailed(f"{_bare(uri)}: {said[:_LONGEST_MESSAGE]}") from problem


def _check(uri: str, *, create: bool) -> None:
    file = _sqlite_file(uri)
    if file is None:
        if urlsplit(uri).scheme not in _REMOTE:
            raise RegistryFailed(f"{_bare(uri)}: expected sqlite:///FILE or http(s)://… as --tracking_uri")
    elif not file.exists():
        if not create:
            raise RegistryFailed(f"{file}: no registry yet: `python -m training track DIR` makes one")
        file.parent.mkdir(parents=True, exist_ok=True)


def _sqlite_file(uri: str) -> Path | None:
    path = uri.removeprefix(_SQLITE).partition("?")[0]
    return Path(path) if uri.startswith(_SQLITE) and path else None


def _bare(uri: str, text: str | None = None) -> str:
    """The URI, or a text that may hold it, without user and password."""
    whose = urlsplit(uri).netloc.rpartition("@")[0]
    return (text or uri).replace(f"{whose}@", "") if whose else text or uri


def _mlflow() -> Any:
    os.environ.update({**_DEFAULTS, **os.environ, **_SILENT})
    try:
        import mlflow  # noqa: PLC0415  an extra of its own, and seconds to import
    except ImportError:
        raise RegistryFailed("tracking needs MLflow: install the extra `tracking`") from None
    # The tables of a new file are made in two dozen steps that nobody needs to read.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow
