import gzip
import hashlib
import io
import json
import sys
from pathlib import Path

import pytest

from transformer.graph_store import SnapshotBuilder
from transformer.graph_store.importer import SHOWN_LINES, import_files
from transformer.graph_store.json_objects import MAX_OBJECT_BYTES
from transformer.graph_store.source_files import UnreadableFile


def record(name: str, rrtype: str = "A", rdata: str = "192.0.2.1") -> bytes:
    fields = {"rrname": name, "rrtype": rrtype, "rdata": rdata, "time_first": 1, "time_last": 2}
    return json.dumps(fields).encode() + b"\n"


CONTENT = record("a.example") + record("b.example") + b"\r\n" + record("c.example").rstrip(b"\n")


def test_plain_and_gzip_files_and_standard_input_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form of a file is told from its content; blank lines and a missing last line end do no harm."""
    (tmp_path / "plain.jsonl").write_bytes(CONTENT)
    (tmp_path / "packed").write_bytes(gzip.compress(CONTENT))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(CONTENT))))
    for name in (str(tmp_path / "plain.jsonl"), str(tmp_path / "packed"), "-"):
        builder = SnapshotBuilder()
        report = import_files([name], builder)
        assert (report.lines, report.used) == (3, 3)
        assert builder.observation_count == 3


def test_several_files_are_one_import_with_fingerprints(tmp_path: Path) -> None:
    """Each source is named with the SHA-256 of its bytes, and all bytes are reported as progress."""
    contents = {"one": CONTENT, "two": gzip.compress(CONTENT)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    seen: list[int] = []
    report = import_files([str(tmp_path / name) for name in contents], SnapshotBuilder(), seen.append)
    expected = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    assert [source.sha256 for source in report.sources] == expected
    assert sum(seen) == sum(map(len, contents.values()))


def test_bad_lines_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    """No bad line stops an import; each has its file and line number."""
    path = tmp_path / "mixed.jsonl"
    path.write_bytes(record("a.example") + b"nonsense\n" * 7 + record("b.example", "TXT") + record("a b"))
    report = import_files([str(path)], SnapshotBuilder())
    assert (report.lines, report.used) == (10, 1)
    assert report.unusable == {"not JSON": 7, "not a domain name": 1}
    assert report.unused_types == {"type TXT": 1}
    assert len(report.shown) == SHOWN_LINES
    assert report.shown[0].startswith(f"{path}:2: not JSON")
    assert "7 unusable: not JSON" in report.summary()


def test_an_endless_line_is_bounded_and_skipped(tmp_path: Path) -> None:
    """A line over the limit counts as one unusable line, and the next line is read."""
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'"' + b"x" * (3 * MAX_OBJECT_BYTES) + b'"\n' + record("a.example"))
    report = import_files([str(path)], SnapshotBuilder())
    assert (report.lines, report.used) == (2, 1)


@pytest.mark.parametrize("damage", ["missing", "truncated", "folder"])
def test_an_unreadable_file_is_named(tmp_path: Path, damage: str) -> None:
    """A file that is away or damaged stops the import: half a file is no import."""
    path = tmp_path / "file"
    if damage == "truncated":
        path.write_bytes(gzip.compress(CONTENT * 50)[:-20])
    elif damage == "folder":
        path.mkdir()
    with pytest.raises(UnreadableFile, match=str(path)):
        import_files([str(path)], SnapshotBuilder())
