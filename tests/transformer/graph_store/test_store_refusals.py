"""A store that cannot be served: what is held stays, what may pass is tried again."""

import os
import resource
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.transformer.graph_store.test_store import current_folder, publish_name
from transformer.graph_store import GraphStore, UnusableSnapshot
from transformer.graph_store.layout import SNAPSHOT_FILES


def test_a_transformer_falls_back_on_the_snapshot_before(tmp_path: Path) -> None:
    """Where that is allowed, a damaged snapshot is passed over at the start, and told at each look."""
    before = publish_name(tmp_path, "old.example")
    publish_name(tmp_path, "bad.example")
    (current_folder(tmp_path) / "counts.npy").unlink()
    with pytest.raises(UnusableSnapshot, match="damaged"):
        GraphStore(tmp_path)
    store = GraphStore(tmp_path, falls_back=True)
    assert store.snapshot.snapshot_id == before
    for _ in range(2):
        with pytest.raises(UnusableSnapshot, match="damaged"):
            store.refresh()
    good = publish_name(tmp_path, "good.example")
    assert store.refresh()
    assert store.snapshot.snapshot_id == good


def test_without_a_good_snapshot_the_refusal_is_that_of_the_current_one(tmp_path: Path) -> None:
    """A start on nothing at all would hide that the graph is gone."""
    for name in ("old.example", "bad.example"):
        publish_name(tmp_path, name)
        (current_folder(tmp_path) / "counts.npy").unlink()
    with pytest.raises(UnusableSnapshot, match=current_folder(tmp_path).name):
        GraphStore(tmp_path, falls_back=True)


POINTERS = {
    "not UTF-8": lambda path: path.write_bytes(b"\xff\xfe\n"),
    "empty": lambda path: path.write_bytes(b""),
    "long": lambda path: path.write_bytes(b"2" * 100_000),
    "outside": lambda path: path.write_text("../../elsewhere"),
    "absolute": lambda path: path.write_text("/etc"),
    "dots": lambda path: path.write_text(".."),
    "two lines": lambda path: path.write_text("20260101T000000000000Z\n20260101T000000000001Z\n"),
    "NUL": lambda path: path.write_bytes(b"2026\0"),
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "gone": str,
    "link to itself": lambda path: path.symlink_to(path),
    "link to nothing": lambda path: path.symlink_to(path.parent / "nowhere"),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("pointer", POINTERS)
def test_current_may_be_anything(tmp_path: Path, pointer: str) -> None:
    """The snapshot in service stays, each look says why in one line, and a good CURRENT is taken again."""
    held = publish_name(tmp_path, "old.example")
    store = GraphStore(tmp_path)
    (tmp_path / "CURRENT").unlink()
    POINTERS[pointer](tmp_path / "CURRENT")
    for _ in range(2):
        with pytest.raises(UnusableSnapshot) as caught:
            store.refresh()
        assert caught.value.reason in ("current", "unreadable")
        assert "\n" not in str(caught.value)
    assert store.snapshot.snapshot_id == held
    if pointer not in ("gone", "link to nothing"):
        assert GraphStore(tmp_path, falls_back=True).snapshot.snapshot_id == held
    shutil.rmtree(tmp_path / "CURRENT") if pointer == "folder" else (tmp_path / "CURRENT").unlink(
        missing_ok=True
    )
    newest = publish_name(tmp_path, "new.example")
    assert store.refresh()
    assert store.snapshot.snapshot_id == newest


def test_what_may_pass_is_tried_again(tmp_path: Path) -> None:
    """Without file descriptors nothing can be opened; once there are some, the same snapshot is taken."""
    publish_name(tmp_path, "old.example")
    store = GraphStore(tmp_path)
    newest = publish_name(tmp_path, "new.example")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    for room in (0, 1, 5, 12):
        with ExitStack() as gaps:
            # Descriptors below the highest that nobody uses.
            while gaps.enter_context(Path(os.devnull).open()).fileno() < highest + 1:
                pass
            gaps.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 2 + room, limits[1]))
            with pytest.raises(UnusableSnapshot) as caught:
                store.refresh()
        assert (caught.value.reason, caught.value.passes) == ("unreadable", True)
    assert store.refresh()
    assert store.snapshot.snapshot_id == newest


def test_a_damaged_snapshot_is_read_again_when_its_files_change(tmp_path: Path) -> None:
    """A snapshot that is still being copied, or that is repaired, is taken without a new CURRENT."""
    publish_name(tmp_path, "old.example")
    store = GraphStore(tmp_path)
    newest = publish_name(tmp_path, "new.example")
    folder, away = current_folder(tmp_path), tmp_path / "away"
    shutil.move(folder, away)
    for name in sorted(path.name for path in away.iterdir()):
        with pytest.raises(UnusableSnapshot):
            store.refresh()
        folder.mkdir(exist_ok=True)
        shutil.copy(away / name, folder / name)
    assert store.refresh()
    assert store.snapshot.snapshot_id == newest


def test_a_file_that_is_a_pipe_does_not_block(tmp_path: Path) -> None:
    """Nor does a folder or a device in the place of one."""
    for name in sorted(SNAPSHOT_FILES):
        publish_name(tmp_path, "a.example")
        (current_folder(tmp_path) / name).unlink()
        os.mkfifo(current_folder(tmp_path) / name)
        with pytest.raises(UnusableSnapshot, match="no regular file"):
            GraphStore(tmp_path)
