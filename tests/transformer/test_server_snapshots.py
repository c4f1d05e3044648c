"""A running transformer whose snapshot changes, or is spoilt: every request is answered."""

from __future__ import annotations

import json
import resource
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from contract.feature_schema import FEATURE_SCHEMA
from load_tests.waiting import poll
from tests.services import SAMPLE, import_passive_dns, metric, transformer
from tests.serving.server_process import ServerProcess
from tests.transformer.score_requests import INFER, columns_of, document, score

NAMES = ["example.com", "never-seen.test"]


class _Traffic(threading.Thread):
    """Requests without pause, and what became of them."""

    def __init__(self, process: ServerProcess) -> None:
        super().__init__()
        self.statuses: Counter[int] = Counter()
        self.neighbours: list[int] = []
        self._url = process.rest_url + INFER
        self._ended = threading.Event()

    def run(self) -> None:
        with httpx.Client(timeout=20) as client:
            while not self._ended.is_set():
                answer = client.post(self._url, json=document(["example.com"]))
                self.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    self.neighbours.append(columns_of(answer.json())["neighbours"][0])

    def stop(self) -> None:
        """No more requests; waits for the last."""
        self._ended.set()
        self.join()


@pytest.fixture
def fresh_store(tmp_path: Path) -> Path:
    """A store that nobody has imported into."""
    return tmp_path / "graph-store"


@pytest.fixture
def traffic(risk_predictor: ServerProcess, fresh_store: Path) -> Iterator[tuple[ServerProcess, _Traffic]]:
    """A transformer of that store under constant requests."""
    with transformer(risk_predictor.grpc_port, fresh_store) as process:
        requests = _Traffic(process)
        requests.start()
        yield process, requests
        requests.stop()


def test_snapshots_change_without_a_failed_request(
    traffic: tuple[ServerProcess, _Traffic], store: Path, fresh_store: Path
) -> None:
    """From no store to a snapshot to a newer one, and past a damaged one: every request is answered."""
    process, requests = traffic
    poll(lambda: len(requests.neighbours) > 5)
    assert set(requests.neighbours) == {0}
    import_passive_dns(fresh_store, store / "records.jsonl")
    poll(lambda: requests.neighbours[-1] > 0)
    first = requests.neighbours[-1]
    more = fresh_store / "more.jsonl"
    more.write_text("".join(_address_line("example.com", f"11.0.2.{host}") for host in range(20, 24)))
    import_passive_dns(fresh_store, store / "records.jsonl", more)
    poll(lambda: requests.neighbours[-1] > first)
    _publish_damaged(fresh_store)
    poll(lambda: "keeping the old graph snapshot" in process.log())
    seen = len(requests.neighbours)
    poll(lambda: len(requests.neighbours) > seen + 5)
    assert requests.neighbours[-1] > first
    assert process.log().count("keeping the old graph snapshot") == 1
    requests.stop()
    assert set(requests.statuses) == {200}


def _publish_damaged(store: Path) -> None:
    current = (store / "CURRENT").read_text().strip()
    shutil.copytree(store / "snapshots" / current, store / "snapshots" / "damaged")
    damaged = store / "snapshots" / "damaged" / "node_features.npy"
    damaged.write_bytes(damaged.read_bytes()[:200])
    (store / "CURRENT.new").write_text("damaged\n")
    (store / "CURRENT.new").replace(store / "CURRENT")


def _write_current(store: Path, content: bytes) -> None:
    (store / "CURRENT.new").write_bytes(content)
    (store / "CURRENT.new").replace(store / "CURRENT")


def _folder_for_current(store: Path) -> None:
    (store / "CURRENT").unlink()
    (store / "CURRENT").mkdir()


def _copy(store: Path) -> Path:
    """A snapshot like the current one, made current, to be damaged before that is done."""
    current = (store / "CURRENT").read_text().strip()
    copy = store / "snapshots" / "damaged"
    shutil.copytree(store / "snapshots" / current, copy)
    meta = json.loads((copy / "meta.json").read_text())
    (copy / "meta.json").write_text(json.dumps(meta | {"snapshot_id": "damaged"}))
    return copy


def _incomplete_meta(store: Path) -> None:
    meta = _copy(store) / "meta.json"
    meta.write_text(json.dumps({"format_version": 2, "feature_schema": FEATURE_SCHEMA}))
    _write_current(store, b"damaged")


def _wrong_content(store: Path) -> None:
    # Of the right size: neighbours that are not there were IndexErrors, and 500 for every request.
    file = _copy(store) / "neighbours.npy"
    content = file.read_bytes()
    file.write_bytes(content[:128] + b"\x7f" * (len(content) - 128))
    _write_current(store, b"damaged")


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "not UTF-8": (lambda store: _write_current(store, b"\xff\xfe\x00"), "current"),
    "no id": (lambda store: _write_current(store, b"../../../etc"), "current"),
    "folder": (_folder_for_current, "current"),
    "gone": (lambda store: (store / "CURRENT").unlink(), "current"),
    "incomplete meta": (_incomplete_meta, "damaged"),
    "wrong content": (_wrong_content, "damaged"),
    "truncated": (_publish_damaged, "damaged"),
}


def _refusals(process: ServerProcess, reason: str) -> float:
    return metric(process, f'dns_risk_snapshot_refusals_total{{reason="{reason}"}}')


@pytest.fixture(scope="module")
def watched(
    risk_predictor: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServerProcess, Path]]:
    """A transformer of a store that is spoilt again and again."""
    directory = tmp_path_factory.mktemp("spoilt")
    import_passive_dns(directory, SAMPLE)
    with transformer(risk_predictor.grpc_port, directory) as process:
        yield process, directory


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_store_holds_the_last_good_snapshot_stays(
    watched: tuple[ServerProcess, Path], fault: str
) -> None:
    """Every request is answered, the refusal counts at each look and is told once; the next import is taken."""
    process, directory = watched
    spoil, reason = FAULTS[fault]
    told, counted = process.log().count("keeping the old graph snapshot"), _refusals(process, reason)
    with httpx.Client(base_url=process.rest_url, timeout=20) as client:
        before = score(client, NAMES)
        spoil(directory)
        poll(lambda: _refusals(process, reason) > counted + 2)
        assert score(client, NAMES) == before
    assert process.log().count("keeping the old graph snapshot") == told + 1
    assert process.process.poll() is None
    if (directory / "CURRENT").is_dir():
        (directory / "CURRENT").rmdir()
    shutil.rmtree(directory / "snapshots" / "damaged", ignore_errors=True)
    served = process.log().count("serving graph snapshot")
    import_passive_dns(directory, SAMPLE)
    poll(lambda: process.log().count("serving graph snapshot") > served)


def test_a_swap_without_file_descriptors_is_tried_again(watched: tuple[ServerProcess, Path]) -> None:
    """No descriptor left when the new snapshot comes: the old one serves, and the new one does once there are."""
    process, directory = watched
    pid = process.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    served = process.log().count("serving graph snapshot")
    with httpx.Client(base_url=process.rest_url, timeout=20) as client:
        # Its connection is open before there are no descriptors for others.
        score(client, NAMES)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            import_passive_dns(directory, SAMPLE)
            poll(lambda: "Too many open files" in process.log())
            assert score(client, NAMES)["status"] == ["ok", "ok"]
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    poll(lambda: process.log().count("serving graph snapshot") > served)
    assert _refusals(process, "unreadable") > 0
    assert process.log().count("Too many open files") == 1


def test_a_start_falls_back_on_the_snapshot_before(risk_predictor: ServerProcess, tmp_path: Path) -> None:
    """A damaged snapshot ends no start while there is a good one; that it is old is told and counted."""
    for _ in range(2):
        import_passive_dns(tmp_path, SAMPLE)
    (tmp_path / "snapshots" / (tmp_path / "CURRENT").read_text().strip() / "counts.npy").unlink()
    before = min(path.name for path in (tmp_path / "snapshots").iterdir())
    with (
        transformer(risk_predictor.grpc_port, tmp_path) as process,
        httpx.Client(base_url=process.rest_url, timeout=20) as client,
    ):
        assert score(client, NAMES)["status"] == ["ok", "ok"]
        poll(lambda: _refusals(process, "damaged") > 1)
        assert process.log().count(f"keeping the old graph snapshot {before}") == 1
        import_passive_dns(tmp_path, SAMPLE)
        poll(lambda: "serving graph snapshot" in process.log())


def _address_line(name: str, address: str) -> str:
    record = {"rrname": name, "rrtype": "A", "rdata": address, "time_first": 1, "time_last": 2}
    return f"{json.dumps(record)}\n"


def test_a_damaged_store_is_one_line(store: Path, tmp_path: Path) -> None:
    """A store that cannot be served ends the start with one line that says what to do."""
    shutil.copytree(store, tmp_path / "store")
    _publish_damaged(tmp_path / "store")
    # What it could fall back on.
    for before in (tmp_path / "store" / "snapshots").glob("2*"):
        shutil.rmtree(before)
    with transformer(1, tmp_path / "store", ready=False) as process:
        assert process.wait(30) == 1
        lines = process.log().splitlines()
    assert len(lines) == 1
    assert "damaged" in lines[0]
    assert "import again" in lines[0]
