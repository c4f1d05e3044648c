"""Whether the arrays of a snapshot fit one another, so that no request can fail on them.

Checksums tell what a disk or a copy has changed; these checks tell what was written wrongly, and stand in for
checksums in snapshots that have none. All are linear, without a copy of an array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from contract.feature_schema import DOMAIN_NODE, MAX_NAME_LENGTH, NODE_TYPES
from transformer.graph_store.array_files import SnapshotArrays
from transformer.graph_store.name_hash import name_hashes
from transformer.graph_store.snapshot_meta import SnapshotMeta

# Rows looked at together: small enough for the cache.
_CHUNK: Final = 1 << 16
# Names whose hash is calculated anew.
_SAMPLED_NAMES: Final = 256
# Features are shares, lengths of names, logarithms of degrees: more would make a model's sums infinite.
_LARGEST_FEATURE: Final = 1_000_000


def problem_of(meta: SnapshotMeta, arrays: SnapshotArrays) -> str:
    """What is wrong with the arrays, or nothing."""
    for problem, is_right in _CHECKS.items():
        if not is_right(meta, arrays):
            return problem
    return ""


def _counts_fit(meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    nodes, entries = sum(meta.node_counts.values()), sum(meta.edge_counts.values())
    return nodes == len(arrays.name_hashes) and entries == len(arrays.neighbours)


def _are_offsets(offsets: np.ndarray, total: int) -> bool:
    return int(offsets[0]) == 0 and int(offsets[-1]) == total and _ascend(offsets)


def _ascend(values: np.ndarray, *, strictly: bool = False) -> bool:
    compare = np.less if strictly else np.less_equal
    return all(
        bool(compare(values[first : last - 1], values[first + 1 : last]).all())
        for first, last in _overlapping(len(values))
    )


def _within(values: np.ndarray, low: int, high: int) -> bool:
    # Not a number is neither.
    return all(
        bool(((values[first:last] >= low) & (values[first:last] <= high)).all())
        for first, last in _chunks(len(values))
    )


def _names_fit(_meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    # Names are octets of any value, see contract.name_octets.
    return _are_offsets(arrays.name_offsets, len(arrays.name_bytes))


def _parts_fit(meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    domains = meta.node_counts[NODE_TYPES[DOMAIN_NODE]]
    for first, last in _chunks(len(arrays.name_parts)):
        lengths = np.diff(arrays.name_offsets[first : last + 1])
        label, suffix = arrays.name_parts[first:last].T
        ends = np.where(np.arange(first, last) < domains, lengths, 0)
        if not ((label <= suffix) & (suffix <= ends) & (lengths >= 1) & (lengths <= MAX_NAME_LENGTH)).all():
            return False
    return True


def _lists_fit(_meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    return _are_offsets(arrays.indptr, len(arrays.neighbours))


def _neighbours_fit(_meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    return _within(arrays.neighbours, 0, len(arrays.name_hashes) - 1)


def _features_fit(_meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    return _within(arrays.node_features, -_LARGEST_FEATURE, _LARGEST_FEATURE)


def _hashes_fit(meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    first = 0
    for node_type in NODE_TYPES:
        last = first + meta.node_counts[node_type]
        if not _ascend(arrays.name_hashes[first:last], strictly=True):
            return False
        first = last
    return not first or _are_named(
        np.unique(np.linspace(0, first - 1, _SAMPLED_NAMES).astype(np.int64)), meta, arrays
    )


def _are_named(nodes: np.ndarray, meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    starts, ends = arrays.name_offsets[nodes].tolist(), arrays.name_offsets[nodes + 1].tolist()
    names = [arrays.name_bytes[start:end].tobytes() for start, end in zip(starts, ends, strict=True)]
    return bool((name_hashes(names, meta.name_salt) == arrays.name_hashes[nodes]).all())


def _skeletons_fit(meta: SnapshotMeta, arrays: SnapshotArrays) -> bool:
    domains = meta.node_counts[NODE_TYPES[DOMAIN_NODE]]
    return _ascend(arrays.skeleton_hashes) and _within(arrays.skeleton_nodes, 0, domains - 1)


def _chunks(length: int) -> Iterator[tuple[int, int]]:
    for first in range(0, length, _CHUNK):
        yield first, min(first + _CHUNK, length)


def _overlapping(length: int) -> Iterator[tuple[int, int]]:
    for first, last in _chunks(length):
        yield first, min(last + 1, length)


# In this order: each relies on those before it.
_CHECKS: Final[dict[str, Callable[[SnapshotMeta, SnapshotArrays], bool]]] = {
    "arrays of other lengths than meta.json says": _counts_fit,
    "names that are not where they should be": _names_fit,
    "names without sense": _parts_fit,
    "neighbour lists that are not where they should be": _lists_fit,
    "neighbours that are not there": _neighbours_fit,
    "features that are no numbers": _features_fit,
    "names under other hashes": _hashes_fit,
    "look-alikes that are not there": _skeletons_fit,
}
