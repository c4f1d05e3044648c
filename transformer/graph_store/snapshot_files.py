"""A snapshot on disk: one .npy file per array, to be memory-mapped, and meta.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8, UInt32, UInt64

from contract.feature_schema import FEATURE_SCHEMA, NODE_FEATURES, NODE_TYPES, RELATIONS

# Bump when the meaning of a file changes: older snapshots are then refused.
FORMAT_VERSION: Final = 1
META_FILE: Final = "meta.json"


class UnusableSnapshot(Exception):
    """The snapshot cannot be served; ``str(error)`` is one line that says what to do."""


class UnwritableSnapshot(Exception):
    """The snapshot could not be written, and the one before is still current; ``str(error)`` is one line."""


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


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a snapshot was built from."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SnapshotMeta:
    """What a snapshot says about itself. created: seconds since 1970."""

    snapshot_id: str
    created: float
    suffix_list_version: str
    node_counts: Mapping[str, int]
    edge_counts: Mapping[str, int]
    sources: tuple[SourceFile, ...] = ()
    name_salt: int = 0
    format_version: int = FORMAT_VERSION
    feature_schema: str = FEATURE_SCHEMA


NO_META: Final = SnapshotMeta(
    snapshot_id="empty",
    created=0.0,
    suffix_list_version="",
    node_counts=dict.fromkeys(NODE_TYPES, 0),
    edge_counts=dict.fromkeys(RELATIONS, 0),
)


def array_file(directory: Path, name: str) -> Path:
    """Where an array of SnapshotArrays lies."""
    return directory / f"{name}.npy"


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


def map_arrays(directory: Path) -> SnapshotArrays:
    """Memory-map a snapshot's arrays: the page cache holds them once for all processes.

    Raises:
        UnusableSnapshot: a file is missing or damaged.
    """
    try:
        # Plain views: indexing an np.memmap costs microseconds more each time.
        return SnapshotArrays(
            **{
                field.name: np.asarray(np.load(array_file(directory, field.name), mmap_mode="r"))
                for field in fields(SnapshotArrays)
            }
        )
    except (OSError, ValueError) as problem:
        raise UnusableSnapshot(f"graph snapshot {directory} is damaged ({problem}): import again") from None


def write_meta(directory: Path, meta: SnapshotMeta) -> None:
    """Write meta.json."""
    (directory / META_FILE).write_text(json.dumps(asdict(meta), indent=2) + "\n")


def read_meta(directory: Path) -> SnapshotMeta:
    """Read meta.json and check that this code can serve the snapshot.

    Raises:
        UnusableSnapshot: missing, damaged, or of another format or feature schema.
    """
    try:
        content = json.loads((directory / META_FILE).read_bytes())
        content["sources"] = tuple(SourceFile(**source) for source in content["sources"])
        meta = SnapshotMeta(**content)
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise UnusableSnapshot(f"graph snapshot {directory} is damaged ({problem}): import again") from None
    _check_versions(directory, meta)
    return meta


def _check_versions(directory: Path, meta: SnapshotMeta) -> None:
    for what, got, want in (
        ("format", meta.format_version, FORMAT_VERSION),
        ("feature schema", meta.feature_schema, FEATURE_SCHEMA),
    ):
        if got != want:
            raise UnusableSnapshot(
                f"graph snapshot {directory} has {what} {got}, this version needs {want}: "
                "import again with `python -m transformer.graph_store import FILE...`"
            )


def sync(path: Path) -> None:
    """Force a file, or a directory's list of files, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
