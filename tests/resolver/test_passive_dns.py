"""What resolvers answered becomes files that the graph store reads, without a client in them."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from resolver.observations import CNAME, A, Record
from resolver.passive_dns import Feed
from resolver.wire_names import from_text
from tests.serving.server_process import REPOSITORY


def address(owner: str, octets: bytes = bytes([11, 22, 33, 1])) -> Record:
    """An address of a name."""
    return Record(from_text(owner), A, octets)


def feed(folder: Path, keep_bytes: int = 1 << 20, most: int = 1000) -> Feed:
    """An empty one."""
    return Feed(folder, keep_bytes, most)


def test_records_are_counted_once_each(tmp_path: Path) -> None:
    """First seen, last seen and how often."""
    own = feed(tmp_path)
    for time_s in (200, 100, 0):
        own.add([address("a.example.se")], time_s, 300)
    path = own.write(own.take(), 1_700_000_000.0)
    assert path is not None
    [line] = map(json.loads, path.read_text().splitlines())
    assert line == {
        "rrname": "a.example.se", "rrtype": "A", "rdata": "11.22.33.1", "time_first": 100, "time_last": 300, "count": 3,
    }  # fmt: skip
    assert own.write(own.take(), 1_700_000_001.0) is None


def test_the_graph_store_imports_them(tmp_path: Path) -> None:
    """Every line is usable, in the words of the importer itself, also of names with odd octets."""
    own = feed(tmp_path)
    records = [address(f"n{n}.example.se") for n in range(5)]
    records.append(Record(from_text("www.example.se"), CNAME, from_text("n1.example.se")))
    records.append(Record(from_text("a\\032b\\046c.example.se"), CNAME, from_text("\\000.example.se")))
    own.add(records, 100, 100)
    path = own.write(own.take(), 1_700_000_000.0)
    store = str(tmp_path / "store")
    command = [sys.executable, "-m", "transformer.graph_store", "import", str(path), "--store", store]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "7 lines: 7 used" in run.stdout


def test_room_is_bounded_on_disk_and_in_memory(tmp_path: Path) -> None:
    """The oldest files go, never the newest; records beyond the limit are counted as left out."""
    own = feed(tmp_path, keep_bytes=330, most=2)
    for turn in range(5):
        own.add([address(f"n{n}.example.se") for n in range(3)], 100, 100)
        own.write(own.take(), 1_700_000_000.0 + turn)
    assert own.shed == 5
    names = [path.name for path in own.files()]
    assert len(names) == 1
    assert names[0].endswith("221324000000Z.jsonl")


def test_a_wrong_clock_makes_no_record_that_never_ages(tmp_path: Path) -> None:
    """What is seen in the future is seen now."""
    own = feed(tmp_path)
    own.add([address("a.example.se")], 1 << 60, 300)
    assert own.take() == {address("a.example.se"): [300, 300, 1]}


def test_half_a_file_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    """By the next process, so that deaths do not fill the disk; what another thread writes is left alone."""
    half = tmp_path / "passive-dns-20200101T000000000000Z.part"
    half.write_text("half")
    own = feed(tmp_path)
    assert not half.exists()
    half.write_text("being written")
    own.add([address("a.example.se")], 100, 100)
    path = own.write(own.take(), 1_700_000_000.0)
    assert set(tmp_path.iterdir()) == {path, half}


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    """The write fails with what the system says, and the room is free again."""
    own = feed(tmp_path)
    own.add([address(f"n{n}.example.se") for n in range(1000)], 100, 100)
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
    own.add([address("a.example.se")], 100, 100)
    with pytest.raises(OSError, match="nowhere"):
        own.write(own.take(), 1_700_000_000.0)
