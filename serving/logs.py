"""Logs as JSON, one line per event, without bodies, headers or addresses of callers."""

from __future__ import annotations

import logging.config
from typing import Any, Final

# These log every request, connection or start in words; what matters of it is ours to log.
_QUIET: Final = ("kserve", "kserve.trace", "uvicorn", "uvicorn.error", "uvicorn.access", "grpc", "asyncio")


def configure_logs(level: str) -> None:
    """Write everything from `level` up to standard error; libraries from WARNING up."""
    logging.config.dictConfig(_configuration(level))


def _configuration(level: str) -> dict[str, Any]:
    library_level = level if level == "ERROR" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "%(levelname)s %(name)s %(message)s",
                "timestamp": "time",
                "rename_fields": {
                    "levelname": "level",
                    "name": "logger",
                    "message": "event",
                },
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": level, "handlers": ["stderr"]},
        # A handler of its own keeps KServe from installing its formats.
        "loggers": {
            name: {"level": library_level, "handlers": ["stderr"], "propagate": False} for name in _QUIET
        },
    }
