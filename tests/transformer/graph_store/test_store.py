import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from contract.feature_schema import DOMAIN_NODE
from tests.transformer.passive_dns import build, observation, small_snapshot
from transformer.graph_store import GraphStore, SnapshotBuilder, UnusableSnapshot, publish
from transformer.graph_store.layout import KEPT_SNAPSHOTS
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
