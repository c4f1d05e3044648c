"""Hands finished passive-DNS files to the graph store's importer, in a process of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

_log = logging.getLogger(__name__)


async def import_files(files: Sequence[Path], store: Path, *, private: bool = False) -> bool:
    """Build a snapshot of these files, which transformers then swap in; whether it worked.

    The importer is a program of the transformer, not a module of ours: it may take gigabytes and minutes, and
    whatever happens to it, scores and answers go on.
    """
    command = [sys.executable, "-m", "transformer.graph_store", "import", *map(str, files)]
    if private:
        command.append("--private_addresses")
    process = await asyncio.create_subprocess_exec(
        *command, "--store", str(store),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        said = errors.decode(errors="replace").strip().splitlines()
        _log.error("import failed", extra={"status": process.returncode, "said": said[-1] if said else ""})
    return process.returncode == 0
