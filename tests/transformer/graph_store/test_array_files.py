"""Whatever has happened to a snapshot's files, it is refused in one line or serves every request."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transformer.passive_dns import RECORDS, small_snapshot
from transformer.featurize import featurize
from transformer.graph_store import GraphStore, Snapshot, SnapshotBuilder, UnusableSnapshot, publish
from transformer.graph_store.array_files import ARRAYS, array_file, checksums_of
from transformer.graph_store.layout import SNAPSHOT_FILES
from transformer.graph_store.snapshot_meta import META_FILE

FILES = sorted(SNAPSHOT_FILES)
NAMES = [name.encode() for record in RECORDS for name in (record[0], record[2])] + [
    b"paypa1.org",
    b"new.example",
]
ANSWERS = [b"A 11.0.2.1, NS ns1.dns.example.net, CNAME edge.example.org"] * len(NAMES)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("store")
    small_snapshot(directory)
    return directory


@pytest.fixture(scope="module")
def whole(store: Path) -> Path:
    return store / "snapshots" / (store / "CURRENT").read_text().strip()


@pytest.fixture(scope="module")
def folder(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to be damaged, of the same name: `renew` makes it whole again."""
    return tmp_path_factory.mktemp("copy") / whole.name


def renew(whole: Path, folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(whole, folder)


def change_meta(folder: Path, change: dict[str, object]) -> None:
    """Change meta.json as somebody would who can calculate its checksum."""
    meta = json.loads((folder / META_FILE).read_text()) | change
    others = {name: value for name, value in meta.items() if name != "meta_checksum"}
    checksum = hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()
    (folder / META_FILE).write_text(json.dumps(others | {"meta_checksum": checksum}))


def serve_everything(snapshot: Snapshot) -> None:
    for answers in (None, ANSWERS):
        featurize(snapshot, NAMES, answers, labelled=True)


@settings(deadline=None, max_examples=200)
@given(data=st.data(), name=st.sampled_from(FILES))
def test_any_change_of_any_file_is_refused(whole: Path, folder: Path, name: str, data: st.DataObject) -> None:
    """One byte of another value, one more or fewer: no file is trusted by its size."""
    renew(whole, folder)
    content = bytearray((folder / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        content[place : place + data.draw(st.integers(1, 99))] = b""
    (folder / name).write_bytes(content)
    try:
        opened = Snapshot.open(folder)
    except UnusableSnapshot as refusal:
        problem = str(refusal)
    else:
        # White space between the fields of meta.json means nothing.
        assert name == META_FILE
        assert opened.meta == Snapshot.open(whole).meta
        problem = ""
    assert "\n" not in problem


@settings(deadline=None, max_examples=200)
@given(data=st.data(), name=st.sampled_from(ARRAYS))
def test_wrong_content_with_right_checksums_fails_no_request(
    whole: Path, folder: Path, name: str, data: st.DataObject
) -> None:
    """What a writer with a bug has written is refused, or does no harm to any request."""
    renew(whole, folder)
    values = np.load(array_file(folder, name))
    place = data.draw(st.integers(0, values.size - 1))
    bits = values.reshape(-1)[place : place + 1].view(np.uint8)
    bits[data.draw(st.integers(0, len(bits) - 1))] ^= data.draw(st.integers(1, 255))
    np.save(array_file(folder, name), values)
    change_meta(folder, {"checksums": checksums_of(folder, lambda *_: None)})
    try:
        opened = Snapshot.open(folder)
    except UnusableSnapshot:
        return
    serve_everything(opened)


REPLACEMENTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "other type": lambda values: values.astype(np.float64 if values.dtype != np.float64 else np.int64),
    "other byte order": lambda values: values.astype(values.dtype.newbyteorder(">")),
    "objects": lambda values: values.astype(object),
    "shorter": lambda values: values[:-1],
    "longer": lambda values: np.concatenate([values, values[-1:]]),
    "empty": lambda values: values[:0],
    "another axis": lambda values: values[..., None],
    "other order": lambda values: np.asfortranarray(np.stack([values, values])),
    "reversed": lambda values: values[::-1],
    "largest": lambda values: np.full_like(
        values, np.inf if values.dtype.kind == "f" else np.iinfo(values.dtype).max
    ),
    "nan": lambda values: np.full_like(values, np.nan if values.dtype.kind == "f" else 1 << 7),
}


@pytest.mark.parametrize("replacement", REPLACEMENTS)
@pytest.mark.parametrize("name", ARRAYS)
def test_another_array_fails_no_request(whole: Path, folder: Path, name: str, replacement: str) -> None:
    """Of another type, shape, order or content, with right checksums: refused, or every request is served."""
    renew(whole, folder)
    values = REPLACEMENTS[replacement](np.load(array_file(folder, name)))
    np.save(array_file(folder, name), values, allow_pickle=True)
    change_meta(folder, {"checksums": checksums_of(folder, lambda *_: None)})
    try:
        opened = Snapshot.open(folder)
    except UnusableSnapshot as refusal:
        assert refusal.reason == "damaged"  # noqa: PT017 - some are harmless
        return
    assert replacement in ("reversed", "largest", "nan") or values.itemsize == 1
    serve_everything(opened)


def test_checksums_are_those_of_sha256sum(whole: Path) -> None:
    """So that they can be compared without this program."""
    meta = json.loads((whole / META_FILE).read_text())
    for name, checksum in meta["checksums"].items():
        assert hashlib.sha256((whole / name).read_bytes()).hexdigest() == checksum
    assert meta["checksums"].keys() == SNAPSHOT_FILES - {META_FILE}


WRONG = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.lists(st.integers())
    | st.just({})
)
FIELDS = (
    "snapshot_id", "created", "suffix_list_version", "node_counts", "edge_counts", "sources",
    "name_salt", "format_version", "feature_schema", "checksums", "surprise",
)  # fmt: skip


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    change=st.dictionaries(st.sampled_from(FIELDS), WRONG, min_size=1, max_size=2),
    inner=st.booleans(),
    value=WRONG,
)
def test_wrong_fields_of_meta_fail_no_request(
    whole: Path, folder: Path, change: dict[str, object], value: object, *, inner: bool
) -> None:
    """Whatever is in meta.json, with its right checksum: refused in one line, or harmless."""
    renew(whole, folder)
    if inner:
        for name in change.keys() & {"node_counts", "edge_counts", "checksums"}:
            change[name] = json.loads((folder / META_FILE).read_text())[name] | {"domain": value}
    change_meta(folder, change)
    try:
        opened = Snapshot.open(folder)
    except UnusableSnapshot:
        return
    serve_everything(opened)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"[" * 100_000, b"\xff", b'{"a": 1' + b"0" * 9999 + b"}"]
)
def test_another_meta_file_is_refused_in_one_line(whole: Path, folder: Path, content: bytes) -> None:
    """Whatever is in its place."""
    renew(whole, folder)
    (folder / META_FILE).write_bytes(content)
    with pytest.raises(UnusableSnapshot):
        Snapshot.open(folder)


def test_the_empty_graph_can_be_written_and_read(tmp_path: Path) -> None:
    """Arrays without elements are legal."""
    publish(tmp_path, SnapshotBuilder())
    serve_everything(GraphStore(tmp_path).snapshot)
