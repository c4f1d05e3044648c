"""Logs as JSON, one line an event, without names that were asked or addresses of clients."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def configure_logs(level: str) -> None:
    """Write everything from `level` up to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    renamed = {"levelname": "level", "name": "logger", "message": "event"}
    handler.setFormatter(
        JsonFormatter("%(levelname)s %(name)s %(message)s", timestamp="time", rename_fields=renamed)
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # grpc.aio logs connection attempts in words; what matters of them is ours to log.
    logging.getLogger("grpc").setLevel("ERROR")
