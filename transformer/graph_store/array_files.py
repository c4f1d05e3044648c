"""The .npy files of a snapshot: checked against what they have to be, then memory-mapped.

A file is opened once: what was checked is what is mapped. It is read, not mapped, for its checksum, so that a
file that is cut meanwhile is a refusal and not a SIGBUS.
"""

from __future__ import annotations

import hashlib
import io
import math
import mmap
import os
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8, UInt32, UInt64

from contract.feature_schema import NODE_FEATURES
from transformer.graph_store.adjacency import RELATION_COUNT
from transformer.graph_store.refusals import damaged, unreadable
from transformer.graph_store.regular_file import NotARegularFile, open_regular


@dataclass(frozen=True, slots=True)
class SnapshotArrays:
    """N nodes, first all domains, then addresses, then nameservers, each ascending by name hash.

    name_bytes       names (as contract.name_octets) and canonical addresses end to end, at name_offsets
    name_parts       where a domain's registrable label and public suffix begin in its octets
    name_hashes      see name_hash; no two nodes of a type share one
    indptr, …        see adjacency.Adjacency
    node_features    columns as in feature_schema.NODE_FEATURES
    skeleton_hashes  ascending; hash of the skeleton of the registered domain at skeleton_nodes
    """

    name_bytes: UInt8[np.ndarray, " bytes"]
    name_offsets: Int64[np.ndarray, " nodes_and_one"]
    name_parts: UInt8[np.ndarray, "nodes 2"]
    name_hashes: UInt64[np.ndarray, " nodes"]
    indptr: UInt32[np.ndarray, " rows_and_one"]
    neighbours: Int32[np.ndarray, " entries"]
    first_seen: UInt32[np.ndarray, " entries"]
    last_seen: UInt32[np.ndarray, " entries"]
    counts: Int64[np.ndarray, " entries"]
    node_features: Float32[np.ndarray, "nodes features"]
    skeleton_hashes: UInt64[np.ndarray, " registered"]
    skeleton_nodes: Int32[np.ndarray, " registered"]


ARRAYS: Final = tuple(field.name for field in fields(SnapshotArrays))


def file_name(array: str) -> str:
    """What the file of an array of SnapshotArrays is called."""
    return f"{array}.npy"


def array_file(directory: Path, array: str) -> Path:
    """Where an array of SnapshotArrays lies."""
    return directory / file_name(array)


def empty_arrays() -> SnapshotArrays:
    """The arrays of a graph without nodes."""
    return SnapshotArrays(
        name_bytes=np.zeros(0, np.uint8),
        name_offsets=np.zeros(1, np.int64),
        name_parts=np.zeros((0, 2), np.uint8),
        name_hashes=np.zeros(0, np.uint64),
        indptr=np.zeros(1, np.uint32),
        neighbours=np.zeros(0, np.int32),
        first_seen=np.zeros(0, np.uint32),
        last_seen=np.zeros(0, np.uint32),
        counts=np.zeros(0, np.int64),
        node_features=np.zeros((0, len(NODE_FEATURES)), np.float32),
        skeleton_hashes=np.zeros(0, np.uint64),
        skeleton_nodes=np.zeros(0, np.int32),
    )


# As numpy writes the beginning of a file, and as open_memmap does: nothing else is read, so no pickles.
_MAGIC: Final = b"\x93NUMPY\x01\x00"
_HEADER: Final = re.compile(
    rb"\{'descr': '([^']{1,16})', 'fortran_order': (False|True), 'shape': \(([0-9, ]{0,64})\), \} *\n"
)


# Kind and axes of each array, -1 where the length is the snapshot's own.
_KINDS: Final = {
    name: (values.dtype, tuple(-1 if length < 2 else length for length in values.shape))
    for name in ARRAYS
    for values in (getattr(empty_arrays(), name),)
}
_LONGEST_HEADER: Final = 512


class NotWhatWasWritten(Exception):
    """A file is not the array that it should be."""


def map_arrays(directory: Path, checksums: Mapping[str, str] | None) -> SnapshotArrays:
    """Memory-map a snapshot's arrays: the page cache holds them once for all processes.

    Costs one read of all files where they have checksums, next to nothing where they have none (None).

    Raises:
        UnusableSnapshot: a file is missing, unreadable, or not what was written.
    """
    try:
        with ExitStack() as files:
            opened = {name: files.enter_context(_open(directory, name)) for name in ARRAYS}
            # All that is cheap before what is not: a file may still be on its way here.
            mapped = {name: _map(file, name) for name, file in opened.items()}
            _check_lengths({name: len(values) for name, values in mapped.items()})
            if checksums is not None:
                _verify(opened, checksums)
            return SnapshotArrays(**mapped)
    except OSError as problem:
        raise unreadable(directory, problem) from None
    except (ValueError, NotWhatWasWritten, NotARegularFile) as problem:
        raise damaged(directory, problem) from None


def save_array(path: Path, values: np.ndarray) -> None:
    """Write an array's file.

    Raises:
        OSError: with its reason; numpy's own `save` says of a full disk how many bytes are missing.
    """
    with path.open("wb") as file:
        header = np.lib.format.header_data_from_array_1_0(values)  # type: ignore[no-untyped-call]
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
        file.write(values.data)


def checksums_of(directory: Path, progress: Callable[[str, int, int], None]) -> dict[str, str]:
    """Hex SHA-256 of each array's file, as `sha256sum` prints it."""
    checksums = {}
    for number, name in enumerate(ARRAYS):
        progress("checksums of files", number, len(ARRAYS))
        with _open(directory, name) as file:
            checksums[file_name(name)] = _digest(file)
    return checksums


def _open(directory: Path, name: str) -> io.FileIO:
    return io.FileIO(open_regular(array_file(directory, name)), "rb")


def _digest(file: io.FileIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _verify(opened: Mapping[str, io.FileIO], checksums: Mapping[str, str]) -> None:
    if checksums.keys() != {file_name(name) for name in ARRAYS}:
        raise NotWhatWasWritten("checksums of other files")
    for name, file in opened.items():
        if _digest(file) != checksums[file_name(name)]:
            raise NotWhatWasWritten(f"{file_name(name)} is not what was written, by its checksum")


def _map(file: io.FileIO, name: str) -> np.ndarray:
    beginning = file.read(len(_MAGIC) + 2 + _LONGEST_HEADER)
    length = int.from_bytes(beginning[len(_MAGIC) : len(_MAGIC) + 2], "little")
    start = len(_MAGIC) + 2 + length
    header = _HEADER.fullmatch(beginning[len(_MAGIC) + 2 : start])
    if not beginning.startswith(_MAGIC) or header is None:
        raise NotWhatWasWritten(f"{file_name(name)} does not begin as an array")
    kind, axes = _KINDS[name]
    shape = tuple(int(axis) for axis in header[3].decode().replace(",", " ").split())
    if header[1].decode() != kind.str or header[2] != b"False" or not _fits(shape, axes):
        raise NotWhatWasWritten(
            f"{file_name(name)} is no {kind} of shape {axes}: {header[0].decode().strip()}"
        )
    size, expected = os.fstat(file.fileno()).st_size, start + math.prod(shape) * kind.itemsize
    if size != expected:
        raise NotWhatWasWritten(f"{file_name(name)} has {size:,} bytes, not {expected:,}")
    if not math.prod(shape):
        return np.zeros(shape, kind)
    # A plain view: indexing an np.memmap costs microseconds more each time.
    whole = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
    return np.frombuffer(whole, kind, math.prod(shape), start).reshape(shape)


def _check_lengths(lengths: Mapping[str, int]) -> None:
    nodes, entries = lengths["name_hashes"], lengths["neighbours"]
    wanted = {
        "name_offsets": nodes + 1,
        "name_parts": nodes,
        "node_features": nodes,
        "indptr": nodes * RELATION_COUNT + 1,
        "first_seen": entries,
        "last_seen": entries,
        "counts": entries,
        "skeleton_nodes": lengths["skeleton_hashes"],
    }
    for name, length in wanted.items():
        if lengths[name] != length:
            raise NotWhatWasWritten(f"{file_name(name)} has {lengths[name]:,} rows, not {length:,}")


def _fits(shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    return len(shape) == len(axes) and all(
        wanted in (-1, length) for length, wanted in zip(shape, axes, strict=True)
    )
