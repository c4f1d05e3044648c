"""A graph snapshot that is swapped, and one that does not fit onto the disk."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from tests.chaos.scene import Scene, fill
from tests.serving.server_process import REPOSITORY
from tests.small_disk import leave_room, make_room

DISK_BYTES = 8 << 20
_KIB = 1024
# Where the import is stopped: at its first file, in a mapped one, in its last.
ROOMS_KIB = (48, 0, 100, 8, 64, 16, 120)
_FILE_LIMIT = 16 * _KIB


def swap_snapshot(scene: Scene) -> None:
    """Another snapshot is imported and taken up while requests are under way."""
    scene.swap_begins()
    fill(scene.system.store, scene.truths[0].sources)
    scene.system.recovery_s(scene.world)
    scene.swap_ends()


def fill_disk(scene: Scene) -> None:
    """An import that does not fit says so in one line; the snapshot before goes on serving, the next import works."""
    store = scene.system.store
    before = _files(store)
    limited = not (store / "MOUNTED").exists()
    if not limited:
        leave_room(store, _KIB * ROOMS_KIB[next(scene.turn) % len(ROOMS_KIB)])
    try:
        done = _import(store, scene.other.sources, limited=limited)
    finally:
        make_room(store)
    assert done.returncode == 1, f"an import without room ended with status {done.returncode}"
    reason = "File too large" if limited else "No space left on device"
    assert done.stderr.startswith(f"graph store {store}: {reason}"), done.stderr[-500:]
    assert done.stderr.count("\n") == 1, done.stderr[-500:]
    assert _files(store) == before, _files(store) ^ before
    fill(store, scene.truths[0].sources)


def _files(store: Path) -> set[Path]:
    return set(store.rglob("*"))


def _import(store: Path, sources: object, *, limited: bool) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "transformer.graph_store", "import", *map(str, sources)]  # type: ignore[call-overload]

    def limit() -> None:
        if limited:
            resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_LIMIT, _FILE_LIMIT))

    return subprocess.run(
        [*command, "--store", str(store)],
        cwd=REPOSITORY,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
