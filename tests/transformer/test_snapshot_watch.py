import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from serving.metrics import FeatureMetrics
from tests.transformer.graph_store.test_store import current_folder, publish_name
from transformer.graph_store import GraphStore
from transformer.snapshot_watch import SnapshotWatch


def watch(store: GraphStore) -> tuple[SnapshotWatch, CollectorRegistry]:
    registry = CollectorRegistry()
    return SnapshotWatch(store, FeatureMetrics(registry).snapshot_refusals, 1.0), registry


def refusals(registry: CollectorRegistry, reason: str) -> float | None:
    return registry.get_sample_value("dns_risk_snapshot_refusals_total", {"reason": reason})


def looks(watching: SnapshotWatch, count: int) -> None:
    for _ in range(count):
        asyncio.run(watching.look())


def test_a_cause_is_told_once_and_counted_at_each_look(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Another snapshot, or the same cause after a good look, is told anew."""
    publish_name(tmp_path, "old.example")
    store = GraphStore(tmp_path)
    watching, registry = watch(store)
    assert refusals(registry, "damaged") == 0
    for told in (1, 2):
        publish_name(tmp_path, "bad.example")
        (current_folder(tmp_path) / "counts.npy").unlink()
        looks(watching, 3)
        assert refusals(registry, "damaged") == 3 * told
        assert caplog.text.count("keeping the old graph snapshot") == told
    publish_name(tmp_path, "good.example")
    looks(watching, 1)
    (tmp_path / "CURRENT").write_text("..")
    looks(watching, 3)
    assert refusals(registry, "current") == 3
    assert caplog.text.count("keeping the old graph snapshot") == 3


def test_a_current_that_changes_all_the_time_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever writes there every second does not fill the log."""
    publish_name(tmp_path, "old.example")
    watching, _ = watch(GraphStore(tmp_path))
    for number in range(5):
        (tmp_path / "CURRENT").write_text(f"no id: {number}")
        looks(watching, 1)
    assert caplog.text.count("keeping the old graph snapshot") == 1


class _Broken(GraphStore):
    def refresh(self) -> bool:
        raise ZeroDivisionError


def test_a_bug_does_not_end_the_service(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is counted, told once with its traceback, and the looks go on."""
    store = GraphStore(tmp_path)
    store.__class__ = _Broken
    watching, registry = watch(store)
    looks(watching, 3)
    assert refusals(registry, "unexpected") == 3
    assert caplog.text.count("This is a bug") == 1
