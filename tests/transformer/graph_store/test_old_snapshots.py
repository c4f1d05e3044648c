"""An import removes old snapshots of its own, and nothing that it did not make."""

import fcntl
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.transformer.graph_store.test_store import publish_name, snapshots
from transformer.graph_store import GraphStore
from transformer.graph_store.layout import UNFINISHED_FILE
from transformer.graph_store.old_snapshots import ABANDONED_AFTER_S

OLD_ID = "20000101T000000000000Z"
OLD_TIME = 1_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two snapshots: any import now removes one."""
    for name in ("a.example", "b.example"):
        publish_name(tmp_path / "store", name)
    return tmp_path / "store"


def copy_of_current(store: Path, name: str, says: str | None = None) -> Path:
    """A snapshot like ours under another name, which calls itself that or something else."""
    folder = store / "snapshots" / name
    shutil.copytree(store / "snapshots" / snapshots(store)[-1], folder)
    meta = folder / "meta.json"
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"snapshot_id": says or name}))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_ours_and_old_is_removed(store: Path) -> None:
    """A folder of an id that says so itself, with a snapshot's files alone, may go."""
    ours = copy_of_current(store, OLD_ID)
    publish_name(store, "c.example")
    assert not ours.exists()
    assert len(snapshots(store)) == 2


@pytest.mark.parametrize(
    "name", ["notes", "backup-of-monday", f"{OLD_ID}-copy", ".hidden", OLD_ID, f"{OLD_ID}.tmp"]
)
@pytest.mark.parametrize(
    "kind", ["empty", "text", "nested", "array", "other id", "no JSON", "extra", "linked file"]
)
def test_what_users_put_there_stays(store: Path, name: str, kind: str) -> None:
    """Whatever it is called and whatever it holds, unless an import has made all of it."""
    folder = store / "snapshots" / name
    if kind in ("other id", "no JSON", "extra", "linked file"):
        copy_of_current(store, name, "20000101T000000000001Z" if kind == "other id" else OLD_ID)
    folder.mkdir(exist_ok=True)
    if kind == "text":
        (folder / "precious.txt").write_text("mine")
    elif kind == "nested":
        (folder / "deep").mkdir()
        (folder / "deep" / "precious.txt").write_text("mine")
    elif kind == "array":
        (folder / "name_bytes.npy").write_text("mine")
    elif kind == "no JSON":
        (folder / "meta.json").write_text("[" * 10_000)
    elif kind == "extra":
        (folder / "precious.txt").write_text("mine")
    elif kind == "linked file":
        (folder / "counts.npy").unlink()
        (store / "precious.npy").write_text("mine")
        (folder / "counts.npy").symlink_to(store / "precious.npy")
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (OLD_TIME, OLD_TIME), follow_symlinks=False)
    before = content(folder)
    for label in "cdef":
        publish_name(store, f"{label}.example")
    assert folder.is_dir()
    assert content(folder) == before


def test_links_are_not_followed(store: Path, tmp_path: Path) -> None:
    """Neither a link to a folder nor its target is touched, whatever the link is called."""
    target = tmp_path / "elsewhere"
    shutil.copytree(copy_of_current(store, OLD_ID), target)
    shutil.rmtree(store / "snapshots" / OLD_ID)
    links = [store / "snapshots" / name for name in (OLD_ID, f"{OLD_ID}.tmp", "link", "dangling")]
    for link in links:
        link.symlink_to(target if link.name != "dangling" else tmp_path / "nowhere")
    before = content(target)
    for label in "cdef":
        publish_name(store, f"{label}.example")
    assert all(link.is_symlink() for link in links)
    assert content(target) == before


def test_files_and_pipes_stay_and_stop_nothing(store: Path) -> None:
    """A pipe in the place of a snapshot, of its meta.json or of CURRENT's neighbours does not block an import."""
    folder = store / "snapshots"
    (folder / OLD_ID).write_text("mine")
    os.mkfifo(folder / "20000101T000000000001Z")
    copy_of_current(store, "20000101T000000000002Z")
    (folder / "20000101T000000000002Z" / "meta.json").unlink()
    os.mkfifo(folder / "20000101T000000000002Z" / "meta.json")
    os.mkfifo(store / f"CURRENT.{OLD_ID}")
    publish_name(store, "c.example")
    assert {OLD_ID, "20000101T000000000001Z", "20000101T000000000002Z"} < set(snapshots(store))
    assert (store / f"CURRENT.{OLD_ID}").is_fifo()


def abandoned(store: Path, name: str = OLD_ID) -> Path:
    """What an import leaves behind when it is killed."""
    folder = store / "snapshots" / f"{name}.tmp"
    folder.mkdir()
    for file in (folder / "name_bytes.npy", folder / UNFINISHED_FILE):
        file.write_text(f"{name}\n")
    return folder


def age(folder: Path, seconds_old: float) -> None:
    then = folder.stat().st_mtime - seconds_old
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))


def test_what_a_killed_import_left_is_removed_after_a_day(store: Path) -> None:
    """And not before; its age is that of its youngest file."""
    folder = abandoned(store)
    publish_name(store, "c.example")
    assert folder.exists()
    age(folder, ABANDONED_AFTER_S + 60)
    (folder / "name_bytes.npy").touch()
    publish_name(store, "d.example")
    assert folder.exists()
    age(folder, ABANDONED_AFTER_S + 60)
    publish_name(store, "e.example")
    assert not folder.exists()


def test_an_import_that_lives_is_left_alone_for_ever(store: Path) -> None:
    """It holds a lock, so that also one that was stopped for days may go on."""
    folder = abandoned(store)
    age(folder, 10 * ABANDONED_AFTER_S)
    with (folder / UNFINISHED_FILE).open() as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        publish_name(store, "c.example")
        assert folder.exists()
    publish_name(store, "d.example")
    assert not folder.exists()


def test_a_snapshot_about_to_be_current_is_left_alone(store: Path) -> None:
    """Another import may stand between its last two steps; a day later its file is stale."""
    folder = copy_of_current(store, OLD_ID)
    pending = store / f"CURRENT.{OLD_ID}"
    pending.write_text(f"{OLD_ID}\n")
    publish_name(store, "c.example")
    assert folder.exists()
    os.utime(pending, (OLD_TIME, OLD_TIME))
    publish_name(store, "d.example")
    assert not folder.exists()
    assert not pending.exists()


def test_the_snapshot_before_stays_whatever_the_clock_said(store: Path) -> None:
    """A snapshot with an id of the future does not push out the one that readers fall back on."""
    future = copy_of_current(store, "29990101T000000000000Z")
    before = (store / "CURRENT").read_text().strip()
    newest = publish_name(store, "c.example")
    assert not future.exists()
    assert snapshots(store) == [before, newest]
    assert GraphStore(store).snapshot.snapshot_id == newest


def test_snapshots_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    """The folder of snapshots as a whole is the operator's to place."""
    (tmp_path / "big-disk").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "snapshots").symlink_to(tmp_path / "big-disk")
    ids = [publish_name(tmp_path / "store", f"{label}.example") for label in "abc"]
    assert snapshots(tmp_path / "store") == ids[-2:]
