"""Importing onto a full disk: one line says so, and the snapshot before stays."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import SAMPLE, import_passive_dns
from tests.serving.server_process import REPOSITORY
from tests.small_disk import leave_room, make_room, small_disk

KIB = 1024


def files(store: Path) -> set[str]:
    """Everything in the store but what fills its disk."""
    return {str(path.relative_to(store)) for path in store.rglob("*") if path.name != "ballast"}


def import_sample(store: Path, **limits: int) -> subprocess.CompletedProcess[str]:
    """What the command says, also where it may not write large files."""
    command = [sys.executable, "-m", "transformer.graph_store", "import", str(SAMPLE), "--store", str(store)]

    def little_room() -> None:
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    return subprocess.run(
        command, cwd=REPOSITORY, preexec_fn=little_room, capture_output=True, text=True, check=False
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 2048 * KIB) as mounted:
        if not mounted:
            pytest.skip("only root may mount a small disk")
        yield tmp_path / "disk"


@pytest.mark.parametrize("room_kib", [0, 8, 16, 48, 64, 100, 120, 132])
def test_a_full_disk_is_one_line(disk: Path, room_kib: int) -> None:
    """Wherever the room ends, also in a memory-mapped file, the import says so and leaves nothing behind."""
    import_passive_dns(disk, SAMPLE)
    before = files(disk)
    leave_room(disk, room_kib * KIB)
    done = import_sample(disk)
    problem = f"graph store {disk}: No space left on device; the snapshot before, if any, stays current\n"
    assert (done.returncode, done.stderr) == (1, problem)
    assert files(disk) == before
    make_room(disk)
    assert import_sample(disk).returncode == 0


def test_a_file_over_the_limit_is_one_line(tmp_path: Path) -> None:
    """The same where a process may write small files only."""
    import_passive_dns(tmp_path, SAMPLE)
    before = files(tmp_path)
    done = import_sample(tmp_path, RLIMIT_FSIZE=16 * KIB)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "File too large; the snapshot before, if any, stays current" in done.stderr
    assert files(tmp_path) == before
