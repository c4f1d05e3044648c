import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.serving.server_process import REPOSITORY
from transformer.graph_store import SnapshotBuilder
from transformer.graph_store.importer import import_files
from transformer.graph_store.source_files import UnreadableFile

RECORD = b'{"rrname":"a.example","rrtype":"A","rdata":"11.0.2.1","time_first":1,"time_last":2}\n'


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("records.jsonl", RECORD)
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("records.jsonl")
        entry.size = len(RECORD)
        archive.addfile(entry, io.BytesIO(RECORD))
    return buffer.getvalue()


def _zstd() -> bytes:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    return subprocess.run(["zstd", "-c"], input=RECORD, capture_output=True, check=True).stdout


KINDS = {
    "xz": (lambda: lzma.compress(RECORD), "xz -dc"),
    "bzip2": (lambda: bz2.compress(RECORD), "bzip2 -dc"),
    "zstd": (_zstd, "zstd -dc"),
    "zip": (_zip, "unzip -p"),
    "tar": (_tar, "tar -xOf"),
    "tar.gz": (lambda: gzip.compress(_tar()), "tar -xOf"),
    "UTF-16": (lambda: RECORD.decode().encode("utf-16"), "iconv -f UTF-16 -t UTF-8"),
    "UTF-16LE": (lambda: RECORD.decode().encode("utf-16-le"), "iconv -f UTF-16LE -t UTF-8"),
    "UTF-16BE": (lambda: RECORD.decode().encode("utf-16-be"), "iconv -f UTF-16BE -t UTF-8"),
    "UTF-32": (lambda: RECORD.decode().encode("utf-32"), "iconv -f UTF-32 -t UTF-8"),
    "gzip in gzip": (lambda: gzip.compress(gzip.compress(RECORD)), "gzip -dc"),
    "pcap": (lambda: b"\xd4\xc3\xb2\xa1" + bytes(20), "packet capture"),
    "pcapng": (lambda: b"\x0a\x0d\x0d\x0a" + bytes(20), "packet capture"),
    "SQLite": (lambda: b"SQLite format 3\x00" + bytes(80), "SQLite"),
    "Parquet": (lambda: b"PAR1" + bytes(80), "Parquet"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_file_is_named(kind: str, tmp_path: Path) -> None:
    """With the command that makes lines of it, where there is one."""
    make, words = KINDS[kind]
    path = tmp_path / "a file"
    path.write_bytes(make())
    with pytest.raises(UnreadableFile, match=words) as caught:
        import_files([str(path)], SnapshotBuilder())
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("kind", ["xz", "bzip2", "zstd", "zip", "tar", "UTF-16", "UTF-16LE", "UTF-32"])
def test_the_command_that_is_named_works(kind: str, tmp_path: Path) -> None:
    """Run as it stands, it imports what is in the file."""
    make, words = KINDS[kind]
    if shutil.which(words.split()[0]) is None:
        pytest.skip(f"{words.split()[0]} is not installed")
    path = tmp_path / "a file"
    path.write_bytes(make())
    with pytest.raises(UnreadableFile) as caught:
        import_files([str(path)], SnapshotBuilder())
    command = str(caught.value).split("; import it by: ")[-1]
    command = command.replace("python -m", f"{sys.executable} -m") + f" --store {tmp_path / 'store'}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert "1 lines: 1 used" in done.stdout, done.stderr
