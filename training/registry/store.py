"""The MLflow store, opened without anything that calls home, and its failures as one line."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import sys
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
_RETRIES: Final = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_TIMEOUT: Final = "MLFLOW_HTTP_REQUEST_TIMEOUT"
_DEFAULTS: Final = {
    # A server that is away is not waited for through seven growing pauses.
    _RETRIES: "0",
    _TIMEOUT: "20",
    # Commands show progress of their own.
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Where there is no git, that is no news.
    "GIT_PYTHON_REFRESH": "quiet",
}
_LONGEST_MESSAGE: Final = 250
_LONGEST_WAIT_S: Final = 3600
# Where the failures of a registry come from; what its server says may break MLflow itself in any way.
_FOREIGN: Final = frozenset({"mlflow", "sqlalchemy", "sqlite3", "requests", "urllib3", "alembic", "google"})


_NO_MLFLOW: Final = "tracking needs MLflow: install the extra `tracking`"


class RegistryFailed(Exception):
    """The registry is not there, does not answer, or has no such version; the message is one line."""


def default_uri() -> str:
    """$MLFLOW_TRACKING_URI, else a SQLite file in mlruns/."""
    return os.environ.get(URI_VARIABLE) or DEFAULT_URI


def look(uri: str, *, create: bool = False) -> None:
    """See that there is a store, before MLflow is imported.

    Args:
        uri: where it is.
        create: whether a file that is not there is made.

    Raises:
        RegistryFailed: another kind of URI, no file, no MLflow, or no server that answers.
    """
    _check(uri, create=create)
    if importlib.util.find_spec("mlflow") is None:
        raise RegistryFailed(_NO_MLFLOW)
    retries, limit_s = _number(_RETRIES, 0, 100), _number(_TIMEOUT, 1, _LONGEST_WAIT_S)
    if _sqlite_file(uri) is None:
        # An extra of its own.
        from training.registry.reach import flaw_of_server  # noqa: PLC0415

        flaw = flaw_of_server(uri, MODEL, float(limit_s), lambda waiting: _say(f"{_bare(uri)}: {waiting}"))
        if flaw and not retries:
            raise RegistryFailed(f"{_bare(uri)}: {flaw}")
        if flaw:
            _say(f"{_bare(uri)}: {flaw}; tried again up to {retries} times, as {_RETRIES} says")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _number(name: str, least: int, most: int) -> int:
    text = os.environ.get(name) or _DEFAULTS[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and least <= int(text) <= most):
        raise RegistryFailed(f"{name}: expected a whole number from {least} to {most}, got {text[:40]!r}")
    return int(text)


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
        if not _is_foreign(problem):
            raise
        # The statement behind a failure of SQL is for MLflow's makers.
        said = _bare(uri, " ".join(str(problem).partition("[SQL")[0].split()))
        raise RegistryFailed(f"{_bare(uri)}: {said[:_LONGEST_MESSAGE]}") from problem


def _is_foreign(problem: Exception) -> bool:
    kind = type(problem)
    if kind.__module__.split(".")[0] in _FOREIGN:
        return True
    # Of built-in kinds only what is raised in their code: an answer that is not of the form they expect.
    place = problem.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    raised_in = "" if place is None else place.tb_frame.f_globals.get("__name__", "")
    return not isinstance(problem, OSError) and raised_in.split(".")[0] in _FOREIGN


def _check(uri: str, *, create: bool) -> None:
    file = _sqlite_file(uri)
    if file is None:
        if not _is_remote(uri):
            raise RegistryFailed(f"{_bare(uri)}: expected sqlite:///FILE or http(s)://… as --tracking_uri")
    elif not file.exists():
        if not create:
            raise RegistryFailed(f"{file}: no registry yet: `python -m training track DIR` makes one")
        file.parent.mkdir(parents=True, exist_ok=True)


def _sqlite_file(uri: str) -> Path | None:
    path = uri.removeprefix(_SQLITE).partition("?")[0]
    return Path(path) if uri.startswith(_SQLITE) and path else None


def _is_remote(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        # Reading the port checks it.
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return parts.scheme in _REMOTE and named and not re.search(r"[\s\x00-\x1f\x7f\\]", uri)


def _bare(uri: str, text: str | None = None) -> str:
    """The URI, or a text that may hold it, without user and password.

    >>> _bare("http://user:secret@host:1"), _bare("http://u:p@[::1", "no http://u:p@[::1 here")
    ('http://host:1', 'no http://[::1 here')
    """
    return re.sub(r"(?<=://)[^/\s]*@", "", uri if text is None else text)


def _mlflow() -> Any:
    given = {name: value for name, value in os.environ.items() if value or name not in _DEFAULTS}
    os.environ.update({**_DEFAULTS, **given, **_SILENT})
    try:
        import mlflow  # noqa: PLC0415  an extra of its own, and seconds to import
    except ImportError:
        raise RegistryFailed(_NO_MLFLOW) from None
    # The tables of a new file are made in two dozen steps that nobody needs to read.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow
