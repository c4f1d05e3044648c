"""Turn what a builder gathered into the files of a snapshot."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Int64, UInt64

from contract.feature_schema import (
    DOMAIN_NODE,
    IP_NODE,
    LEXICAL_FEATURES,
    NAMESERVER_NODE,
    NODE_FEATURES,
    NODE_TYPES,
    RELATION_IDS,
    RELATIONS,
)
from contract.name_octets import octets_of
from contract.public_suffix import SUFFIX_LIST_VERSION
from contract.ragged import offsets_of
from transformer.domain_name import parse_domain
from transformer.graph_store.adjacency import (
    RELATION_COUNT,
    Adjacency,
    Edges,
    build_adjacency,
    concatenate,
    derived_edges,
    log_degrees,
)
from transformer.graph_store.array_files import array_file, checksums_of, save_array
from transformer.graph_store.builder import SnapshotBuilder
from transformer.graph_store.confusable import skeleton
from transformer.graph_store.name_hash import name_hashes
from transformer.graph_store.similar_names import similar_edges
from transformer.graph_store.snapshot_meta import SnapshotMeta, SourceFile, write_meta
from transformer.lexical import lexical_features

# Domains parsed and described at a time: large enough for numpy, small enough for the cache.
CHUNK: Final = 2048

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, what is done of it and the whole."""


@dataclass(frozen=True, slots=True)
class NodeOrder:
    """Nodes by type and name hash. names: in snapshot order; ids: by type, builder number -> node."""

    names: Sequence[str]
    hashes: UInt64[np.ndarray, " nodes"]
    ids: tuple[Int64[np.ndarray, " domains"], Int64[np.ndarray, " ips"], Int64[np.ndarray, " nameservers"]]
    salt: int

    @property
    def domain_count(self) -> int:
        return len(self.ids[DOMAIN_NODE])


def write_snapshot(
    directory: Path,
    snapshot_id: str,
    builder: SnapshotBuilder,
    sources: Sequence[SourceFile] = (),
    progress: Progress = lambda _stage, _done, _total: None,
) -> SnapshotMeta:
    """Write all files of a snapshot into an existing, empty directory."""
    nodes = order_nodes([builder.domains, builder.addresses, builder.nameservers])
    _write_names(directory, nodes)
    features = _create(directory, "node_features", (len(nodes.names), len(NODE_FEATURES)), np.float32)
    registered, skeletons = _describe_domains(directory, nodes, features, progress)
    edges = [_observed(builder.observed_edges(), nodes), _apex(builder, nodes)]
    edges.append(similar_edges(skeletons, registered))
    adjacency = build_adjacency(concatenate(edges), len(nodes.names))
    _write_adjacency(directory, adjacency)
    _write_degrees(features, adjacency, progress)
    meta = replace(
        _describe(snapshot_id, nodes, adjacency, sources), checksums=checksums_of(directory, progress)
    )
    write_meta(directory, meta)
    return meta


def order_nodes(tables: Iterable[dict[str, int]]) -> NodeOrder:
    """Number the nodes of each type by the hash of their name."""
    by_type = [list(table) for table in tables]
    salt, hashes = _distinct_hashes(by_type)
    names: list[str] = []
    ids, sorted_hashes = [], []
    for type_names, type_hashes in zip(by_type, hashes, strict=True):
        order = np.argsort(type_hashes)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(names), len(names) + len(order))
        names.extend([type_names[number] for number in order.tolist()])
        ids.append(rank)
        sorted_hashes.append(type_hashes[order])
    domains, addresses, nameservers = ids
    return NodeOrder(names, np.concatenate(sorted_hashes), (domains, addresses, nameservers), salt)


def _distinct_hashes(by_type: Sequence[Sequence[str]]) -> tuple[int, list[UInt64[np.ndarray, " _"]]]:
    # Two of ten million names share a hash once in a hundred thousand imports: then with another salt.
    salt = 0
    while True:
        hashes = [name_hashes([octets_of(name) for name in names], salt) for names in by_type]
        if all(len(np.unique(part)) == len(part) for part in hashes):
            return salt, hashes
        salt += 1


def _write_names(directory: Path, nodes: NodeOrder) -> None:
    octets = [octets_of(name) for name in nodes.names]
    lengths = np.fromiter(map(len, octets), np.int64, len(octets))
    save_array(array_file(directory, "name_offsets"), offsets_of(lengths))
    save_array(array_file(directory, "name_hashes"), nodes.hashes)
    save_array(array_file(directory, "name_bytes"), np.frombuffer(b"".join(octets), np.uint8))


def _create(directory: Path, name: str, shape: tuple[int, int], dtype: type[np.generic]) -> np.ndarray:
    # Zeros that take no memory: pages come into being when written.
    path = array_file(directory, name)
    created: np.ndarray = np.lib.format.open_memmap(path, "w+", dtype, shape)  # type: ignore[no-untyped-call]
    with path.open("r+b") as file:
        # A page without room on the disk would end the process by SIGBUS when written.
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return created


def _describe_domains(
    directory: Path, nodes: NodeOrder, features: np.ndarray, progress: Progress
) -> tuple[Int64[np.ndarray, " registered"], UInt64[np.ndarray, " registered"]]:
    """Write what follows from each domain's name; return registered domains by skeleton hash."""
    parts = _create(directory, "name_parts", (len(nodes.names), 2), np.uint8)
    registered: list[int] = []
    forms: list[bytes] = []
    for first in range(0, nodes.domain_count, CHUNK):
        last = min(first + CHUNK, nodes.domain_count)
        domains = [parse_domain(name) for name in nodes.names[first:last]]
        parts[first:last] = [(domain.label_start, domain.suffix_start) for domain in domains]
        features[first:last, : len(LEXICAL_FEATURES)] = lexical_features(domains)
        for node, domain in enumerate(domains, first):
            if domain.name == domain.registered_domain and (form := skeleton(domain.registrable_label)):
                registered.append(node)
                forms.append(form.encode())
        progress("describing domains", last, nodes.domain_count)
    return _write_skeletons(directory, np.array(registered, np.int64), name_hashes(forms))


def _write_skeletons(
    directory: Path, registered: Int64[np.ndarray, " registered"], hashes: UInt64[np.ndarray, " registered"]
) -> tuple[Int64[np.ndarray, " registered"], UInt64[np.ndarray, " registered"]]:
    order = np.argsort(hashes, kind="stable")
    registered, hashes = registered[order], hashes[order]
    save_array(array_file(directory, "skeleton_hashes"), hashes)
    save_array(array_file(directory, "skeleton_nodes"), registered.astype(np.int32))
    return registered, hashes


def _observed(edges: Edges, nodes: NodeOrder) -> Edges:
    domains, addresses, nameservers = nodes.ids
    target = np.empty(len(edges.target), np.int64)
    for relation, ids in (("resolves", addresses), ("nameserver", nameservers), ("alias", domains)):
        along = edges.relation == RELATION_IDS[relation]
        target[along] = ids[edges.target[along]]
    return Edges(
        domains[edges.source], edges.relation, target, edges.first_seen, edges.last_seen, edges.count
    )


def _apex(builder: SnapshotBuilder, nodes: NodeOrder) -> Edges:
    apexes = builder.apexes()
    below = np.flatnonzero(apexes >= 0)
    domains = nodes.ids[DOMAIN_NODE]
    return derived_edges("apex", domains[below], domains[apexes[below]])


def _write_adjacency(directory: Path, adjacency: Adjacency) -> None:
    for name, values in asdict(adjacency).items():
        save_array(array_file(directory, name), values)


def _write_degrees(features: np.ndarray, adjacency: Adjacency, progress: Progress) -> None:
    node_count, step = len(features), 64 * CHUNK
    for first in range(0, node_count, step):
        last = min(first + step, node_count)
        bounds = adjacency.indptr[first * RELATION_COUNT : last * RELATION_COUNT + 1]
        degrees = np.diff(bounds.astype(np.int64)).reshape(-1, RELATION_COUNT)
        features[first:last, len(LEXICAL_FEATURES) :] = log_degrees(degrees)
        progress("counting neighbours", last, node_count)


def _describe(
    snapshot_id: str, nodes: NodeOrder, adjacency: Adjacency, sources: Sequence[SourceFile]
) -> SnapshotMeta:
    degrees = np.diff(adjacency.indptr.astype(np.int64)).reshape(-1, RELATION_COUNT).sum(axis=0)
    counts = (len(nodes.ids[DOMAIN_NODE]), len(nodes.ids[IP_NODE]), len(nodes.ids[NAMESERVER_NODE]))
    return SnapshotMeta(
        snapshot_id=snapshot_id,
        created=time.time(),
        suffix_list_version=SUFFIX_LIST_VERSION,
        node_counts=dict(zip(NODE_TYPES, counts, strict=True)),
        edge_counts=dict(zip(RELATIONS, degrees.tolist(), strict=True)),
        sources=tuple(sources),
        name_salt=nodes.salt,
    )
