import json
import os
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest

from contract.feature_schema import DOMAIN_NODE
from tests.transformer.passive_dns import build, observation, small_snapshot
from transformer.graph_store import GraphStore, SnapshotBuilder, UnusableSnapshot, publish
from transformer.graph_store.layout import KEPT_SNAPSHOTS, SNAPSHOT_FILES
from transformer.graph_store.snapshot_meta import META_FILE


def publish_name(store: Path, name: str) -> str:
    builder = SnapshotBuilder()
    builder.add(observation(name, "A", "11.0.2.1"))
    return publish(store, builder).snapshot_id


def snapshots(store: Path) -> list[str]:
    return sorted(path.name for path in (store / "snapshots").iterdir())


def current_folder(store: Path) -> Path:
    return store / "snapshots" / (store / "CURRENT").read_text().strip()


def change_meta(store: Path, **changes: object) -> None:
    path = current_folder(store) / META_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_missing_store_is_an_empty_graph(tmp_path: Path) -> None:
    """A service may start before anything was imported, and notices the first import."""
    store = GraphStore(tmp_path / "none")
    assert store.snapshot.node_count == 0
    assert not store.refresh()
    snapshot_id = publish_name(tmp_path / "none", "example.com")
    assert store.refresh()
    assert store.snapshot.snapshot_id == snapshot_id


def test_a_new_snapshot_is_swapped_in_once(tmp_path: Path) -> None:
    """`refresh` says True for a new snapshot and False until the next."""
    publish_name(tmp_path, "one.example")
    store = GraphStore(tmp_path)
    assert not store.refresh()
    newest = publish_name(tmp_path, "two.example")
    assert store.refresh()
    assert not store.refresh()
    assert store.snapshot.snapshot_id == newest


def test_a_held_snapshot_outlives_its_files(tmp_path: Path) -> None:
    """A request that began on an old snapshot finishes on it, even after its folder is gone."""
    publish_name(tmp_path, "old.example")
    store = GraphStore(tmp_path)
    held = store.snapshot
    for name in ("a.example", "b.example", "c.example"):
        publish_name(tmp_path, name)
    store.refresh()
    assert held.snapshot_id not in snapshots(tmp_path)
    assert held.find(DOMAIN_NODE, [b"old.example"]).tolist() == [0]
    assert held.features(np.array([0])).shape[0] == 1


def test_the_last_two_snapshots_are_kept(tmp_path: Path) -> None:
    """Ids ascend with time; older folders are removed."""
    ids = [publish_name(tmp_path, f"{letter}.example") for letter in "abcd"]
    assert ids == sorted(ids)
    assert snapshots(tmp_path) == ids[-2:]


def test_a_failed_import_changes_nothing(tmp_path: Path) -> None:
    """What stops the writing leaves the current snapshot and no rubbish."""
    before = publish_name(tmp_path, "example.com")

    def stop(_stage: str, _done: int, _total: int) -> None:
        raise KeyboardInterrupt

    builder = SnapshotBuilder()
    builder.add(observation("new.example", "A", "11.0.2.1"))
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path, builder, progress=stop)
    assert snapshots(tmp_path) == [before]
    assert GraphStore(tmp_path).snapshot.snapshot_id == before


def test_an_unfinished_snapshot_of_another_import_is_left_alone(tmp_path: Path) -> None:
    """Two imports at once do not remove each other's folders."""
    (tmp_path / "snapshots" / "20000101T000000000000Z.tmp").mkdir(parents=True)
    publish_name(tmp_path, "example.com")
    publish_name(tmp_path, "example.com")
    assert len(snapshots(tmp_path)) == 1 + KEPT_SNAPSHOTS


@pytest.mark.parametrize("changes", [{"feature_schema": "0123456789abcdef"}, {"format_version": 0}])
def test_another_schema_or_format_is_refused_in_one_line(tmp_path: Path, changes: dict[str, object]) -> None:
    """The refusal says what is wrong and to import again."""
    publish_name(tmp_path, "example.com")
    change_meta(tmp_path, **changes)
    with pytest.raises(UnusableSnapshot, match="import again") as caught:
        GraphStore(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_refused_snapshot_leaves_the_old_one_in_service(tmp_path: Path) -> None:
    """`refresh` says so for as long as the current one is bad, keeps the old one, and takes the next good one."""
    old = publish_name(tmp_path, "old.example")
    store = GraphStore(tmp_path)
    publish_name(tmp_path, "bad.example")
    change_meta(tmp_path, feature_schema="other")
    for _ in range(3):
        with pytest.raises(UnusableSnapshot):
            store.refresh()
        assert store.snapshot.snapshot_id == old
    good = publish_name(tmp_path, "good.example")
    assert store.refresh()
    assert store.snapshot.snapshot_id == good


@pytest.mark.parametrize("damage", ["missing", "truncated", "no meta"])
def test_damage_is_refused_in_one_line(tmp_path: Path, damage: str) -> None:
    """Missing or shortened files are found when the snapshot is opened."""
    small_snapshot(tmp_path)
    folder = tmp_path / "snapshots" / snapshots(tmp_path)[0]
    if damage == "missing":
        (folder / "neighbours.npy").unlink()
    elif damage == "truncated":
        content = (folder / "node_features.npy").read_bytes()
        (folder / "node_features.npy").write_bytes(content[:-1])
    else:
        (folder / META_FILE).unlink()
    with pytest.raises(UnusableSnapshot, match="damaged"):
        GraphStore(tmp_path)


def test_a_snapshot_can_be_copied(tmp_path: Path) -> None:
    """A store's folder has no paths in it: it may be moved or put into an image."""
    snapshot = build(tmp_path / "here", [observation("example.com", "A", "11.0.2.1")])
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    assert GraphStore(tmp_path / "there").snapshot.snapshot_id == snapshot.snapshot_id
    assert 0.0 <= snapshot.age_seconds < 60.0


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
    used = len(list(Path("/proc/self/fd").iterdir()))
    for room in (0, 1, 5, 12):
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + room, limits[1]))
        try:
            with pytest.raises(UnusableSnapshot) as caught:
                store.refresh()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
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


def test_a_snapshot_without_checksums_is_served_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A store of the format before goes on being served, as far as it can be checked."""
    snapshot_id = publish_name(tmp_path, "old.example")
    path = current_folder(tmp_path) / META_FILE
    meta = json.loads(path.read_text()) | {"format_version": 1}
    path.write_text(json.dumps({key: meta[key] for key in meta if "checksum" not in key}))
    assert GraphStore(tmp_path).snapshot.snapshot_id == snapshot_id
    assert "has no checksums" in caplog.text
    (current_folder(tmp_path) / "counts.npy").unlink()
    with pytest.raises(UnusableSnapshot):
        GraphStore(tmp_path)
