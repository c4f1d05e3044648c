"""Imports at the same time, and imports that cannot end: the store is whole after each."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import SAMPLE
from tests.serving.server_process import REPOSITORY
from tests.transformer.graph_store.test_store import publish_name, snapshots
from transformer.graph_store import GraphStore, UnwritableSnapshot
from transformer.graph_store.layout import KEPT_SNAPSHOTS


def test_imports_at_the_same_time_do_not_harm_one_another(tmp_path: Path) -> None:
    """Each ends well, at all times CURRENT names a whole snapshot, and nothing is left over."""
    publish_name(tmp_path, "first.example")
    command = [
        sys.executable,
        "-m",
        "transformer.graph_store",
        "import",
        str(SAMPLE),
        "--store",
        str(tmp_path),
    ]
    for _ in range(2):
        imports = [
            subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for _ in range(4)
        ]
        store = GraphStore(tmp_path)
        while any(running.poll() is None for running in imports):
            store.refresh()
        assert [running.wait() for running in imports] == [0] * 4, [one.stderr for one in imports]
        for running in imports:
            running.communicate()
    publish_name(tmp_path, "last.example")
    assert len(snapshots(tmp_path)) == KEPT_SNAPSHOTS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", "snapshots"]
    assert GraphStore(tmp_path).snapshot.snapshot_id == snapshots(tmp_path)[-1]


def test_a_folder_in_the_place_of_current_is_one_line(tmp_path: Path) -> None:
    """The import says so and leaves nothing behind."""
    (tmp_path / "CURRENT" / "mine").mkdir(parents=True)
    with pytest.raises(UnwritableSnapshot, match="Is a directory"):
        publish_name(tmp_path, "a.example")
    assert snapshots(tmp_path) == []
    assert (tmp_path / "CURRENT" / "mine").is_dir()
    assert not list(tmp_path.glob("CURRENT.*"))


@pytest.mark.parametrize("place", ["store", "snapshots"])
def test_a_file_in_the_place_of_a_folder_is_one_line(tmp_path: Path, place: str) -> None:
    """And it stays as it is."""
    store = tmp_path / "store"
    if place == "snapshots":
        store.mkdir()
    path = store if place == "store" else store / "snapshots"
    path.write_text("mine")
    with pytest.raises(UnwritableSnapshot):
        publish_name(store, "a.example")
    assert path.read_text() == "mine"
