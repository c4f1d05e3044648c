"""What resolvers answered becomes files that the graph store reads, without a client in them."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from resolver.observations import CNAME, NS, A, Observation, Record
from resolver.passive_dns import Feed
from tests.serving.server_process import REPOSITORY


def observation(name: str, *records: Record, rcode: int = 0, time_s: int = 100) -> Observation:
    """One answer."""
    return Observation(name, A, rcode, time_s, records)


def feed(folder: Path, keep_bytes: int = 1 << 20, most: int = 1000) -> Feed:
    """An empty one."""
    return Feed(folder, keep_bytes, most)


def test_records_are_counted_once_each(tmp_path: Path) -> None:
    """First seen, last seen and how often; answers that say that there is nothing are left out."""
    own = feed(tmp_path)
    record = Record("a.example", A, "192.0.2.1")
    own.add([observation("a.example", record, time_s=200), observation("a.example", record, time_s=100)], 300)
    own.add([observation("a.example", record, time_s=0), observation("b.example", rcode=3)], 300)
    path = own.write(own.take(), 1_700_000_000.0)
    assert path is not None
    [line] = map(json.loads, path.read_text().splitlines())
    assert line == {
        "rrname": "a.example", "rrtype": "A", "rdata": "192.0.2.1", "time_first": 100, "time_last": 300, "count": 3,
    }  # fmt: skip
    assert own.write(own.take(), 1_700_000_001.0) is None


def test_the_graph_store_imports_them(tmp_path: Path) -> None:
    """Every line is usable, in the words of the importer itself."""
    own = feed(tmp_path)
    records = [Record(f"n{n}.example.com", A, "192.0.2.1") for n in range(5)]
    records.append(Record("www.example.com", CNAME, "n1.example.com"))
    own.add([observation("x", *records)], 100)
    path = own.write(own.take(), 1_700_000_000.0)
    command = [
        sys.executable,
        "-m",
        "transformer.graph_store",
        "import",
        str(path),
        "--store",
        str(tmp_path / "store"),
    ]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "6 lines: 6 used" in run.stdout


def test_room_is_bounded_on_disk_and_in_memory(tmp_path: Path) -> None:
    """The oldest files go, never the newest; records beyond the limit are counted as left out."""
    own = feed(tmp_path, keep_bytes=300, most=2)
    for turn in range(5):
        own.add([observation("x", *(Record(f"n{n}.example", A, "192.0.2.1") for n in range(3)))], 100)
        own.write(own.take(), 1_700_000_000.0 + turn)
    assert own.shed == 5
    names = [path.name for path in own.files()]
    assert len(names) == 1
    assert names[0].endswith("221324000000Z.jsonl")


def test_the_future_and_the_root_are_left_out(tmp_path: Path) -> None:
    """A wrong clock makes no record that never ages, and the root no line that the importer cannot use."""
    own = feed(tmp_path)
    own.add([observation("a.example", Record("a.example", A, "192.0.2.1"), time_s=1 << 60)], 300)
    own.add([observation("", Record("", NS, "a.root-servers.net"), Record("b.example", CNAME, ""))], 300)
    assert own.take() == {("a.example", A, "192.0.2.1"): [300, 300, 1]}


def test_half_a_file_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    """By the next process, so that deaths do not fill the disk; what another thread writes is left alone."""
    half = tmp_path / "passive-dns-20200101T000000000000Z.part"
    half.write_text("half")
    own = feed(tmp_path)
    assert not half.exists()
    half.write_text("being written")
    own.add([observation("x", Record("a.example", A, "192.0.2.1"))], 100)
    path = own.write(own.take(), 1_700_000_000.0)
    assert set(tmp_path.iterdir()) == {path, half}


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    """The write fails with what the system says, and the room is free again."""
    own = feed(tmp_path)
    own.add([observation("x", *(Record(f"n{n}.example", A, "192.0.2.1") for n in range(1000)))], 100)
    seen = own.take()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            own.write(seen, 1_700_000_000.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    """Where the folder cannot be written nothing is left that looks like a file."""
    own = feed(tmp_path / "nowhere")
    own.add([observation("x", Record("a.example", A, "192.0.2.1"))], 100)
    with pytest.raises(OSError, match="nowhere"):
        own.write(own.take(), 1_700_000_000.0)
