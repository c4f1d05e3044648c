import gzip
import hashlib
import io
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transformer.graph_store import GraphStore, SnapshotBuilder, publish
from transformer.graph_store.importer import SHOWN_LINES, import_files
from transformer.graph_store.json_objects import MAX_OBJECT_BYTES
from transformer.graph_store.source_files import UnreadableFile


def record(name: str, rrtype: str = "A", rdata: str = "11.0.2.1") -> bytes:
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


CASES = Path(os.environ.get("DNS_RISK_SHARED", "../shared")) / "cases" / "passive_dns"


@pytest.mark.parametrize(
    ("case", "used", "edges"), [("bom", 2, 2), ("dnsdb_v2_saf", 1, 1), ("mixed_rdata_list", 1, 2)]
)
def test_what_tools_really_send_is_taken(tmp_path: Path, case: str, used: int, edges: int) -> None:
    """A byte order mark, DNSDB's framing and a list with one bad item lose nothing that is good."""
    path = CASES / f"{case}.json"
    if not path.exists():
        pytest.skip(f"no {path}: set DNS_RISK_SHARED")
    # Their addresses are of documentation, which are no evidence: read once as they are, once as others.
    real = tmp_path / "real"
    real.write_bytes(path.read_bytes().replace(b"192.0.2.", b"11.0.2."))
    for file, left_out, taken in ((path, edges, 0), (real, 0, edges)):
        builder = SnapshotBuilder()
        report = import_files([str(file)], builder)
        assert (report.lines, report.used, builder.observation_count) == (used, used, taken)
        assert report.unusable_rdata["special-purpose address (documentation)"] == left_out
        assert not report.unusable


def test_a_bad_item_of_a_list_is_left_out_and_told(tmp_path: Path) -> None:
    """The good ones are kept, each once; the bad ones are counted by reason and the first shown."""
    path = tmp_path / "list.jsonl"
    items = ["11.0.2.8", "not-an-ip", "11.0.2.9", 7, "11.0.2.8."]
    path.write_text(json.dumps(json.loads(record("a.example")) | {"rdata": items}))
    builder = SnapshotBuilder()
    report = import_files([str(path)], builder)
    assert (report.used, builder.observation_count) == (1, 2)
    assert report.unusable_rdata == {"rdata is not an address of its type": 1, "no rdata": 1}
    assert "1 left out of rdata: rdata is not an address of its type" in report.summary()
    assert any("not-an-ip" in place for place in report.shown)


def test_a_list_of_bad_items_is_one_unusable_line(tmp_path: Path) -> None:
    """With the reason of its first item."""
    path = tmp_path / "list.jsonl"
    path.write_text(json.dumps(json.loads(record("a.example")) | {"rdata": ["x", "y", 7]}))
    report = import_files([str(path)], SnapshotBuilder())
    assert (report.lines, report.used) == (1, 0)
    assert report.unusable == {"rdata is not an address of its type": 1}


def test_members_of_a_gzip_file_are_one_text(tmp_path: Path) -> None:
    """`cat a.gz b.gz` is a legal gzip file, whatever its parts hold; a byte order mark may begin each."""
    path = tmp_path / "both.gz"
    mark = b"\xef\xbb\xbf"
    parts = [b"", mark + record("a.example"), b"", mark + record("b.example"), b"\n"]
    path.write_bytes(b"".join(map(gzip.compress, parts)))
    assert import_files([str(path)], SnapshotBuilder()).used == 2


def test_a_file_given_twice_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whatever path; counts would be doubled. The report tells it."""
    path = tmp_path / "records.jsonl"
    path.write_bytes(record("a.example"))
    (tmp_path / "link").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    builder = SnapshotBuilder()
    report = import_files([str(path), "records.jsonl", "link"], builder)
    assert builder.observation_count == 1
    assert "given twice, read once: link" in report.summary()
    assert len(report.sources) == 1


def test_types_without_end_are_counted_as_one(tmp_path: Path) -> None:
    """A file cannot make the report as long as itself."""
    path = tmp_path / "types.jsonl"
    path.write_bytes(b"".join(record("a.example", f"T{number}") for number in range(1000)))
    report = import_files([str(path)], SnapshotBuilder())
    assert sum(report.unused_types.values()) == 1000
    assert len(report.summary()) < 100


def test_a_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    """Its files have to be named."""
    with pytest.raises(UnreadableFile, match=r"a directory; name the files in it"):
        import_files([str(tmp_path)], SnapshotBuilder())


SEEDS = (
    CONTENT,
    b"\xef\xbb\xbf" + CONTENT,
    b"[" + b",".join(CONTENT.split()) + b"]",
    b'{"cond":"begin"}\n{"obj":' + record("a.example").strip() + b'}\n{"cond":"limited","msg":"x"}\n',
    json.dumps(
        json.loads(record("x.example", "AAAA")) | {"rdata": ["::1%\u00fc", "3ffe:b00::2"]}, indent=1
    ).encode(),
    gzip.compress(CONTENT),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.sampled_from(SEEDS),
    cuts=st.lists(
        st.tuples(
            st.integers(0, 500),
            st.integers(0, 9),
            st.binary(max_size=9) | st.sampled_from([b"{", b"}", b"[", b'"', b"\\", b"\n", b"\0"]),
        ),
        max_size=6,
    ),
)
def test_no_file_raises_anything_else(
    tmp_path: Path, seed: bytes, cuts: list[tuple[int, int, bytes]]
) -> None:
    """However a file is damaged, it is imported and published, or refused in one line."""
    for place, length, instead in cuts:
        seed = seed[:place] + instead + seed[place + length :]
    path = tmp_path / "file"
    path.write_bytes(seed)
    builder = SnapshotBuilder()
    try:
        report = import_files([str(path)], builder)
    except UnreadableFile:
        return
    left_out = sum(report.unusable.values()) + sum(report.unused_types.values())
    assert report.lines == report.used + left_out
    publish(tmp_path / "store", builder, report.sources)
    assert GraphStore(tmp_path / "store").snapshot.node_count >= 2 * bool(report.used)
