"""The passive-DNS graph: build a snapshot from observations, serve it, ask it in batches."""

from transformer.graph_store.builder import SnapshotBuilder
from transformer.graph_store.common_output_format import Observation, UnusableLine, UnusedType, parse_line
from transformer.graph_store.passive_dns_graph import UNKNOWN, PassiveDnsGraph
from transformer.graph_store.publishing import publish
from transformer.graph_store.refusals import UnusableSnapshot, UnwritableSnapshot
from transformer.graph_store.snapshot import Snapshot
from transformer.graph_store.snapshot_meta import SourceFile
from transformer.graph_store.store import GraphStore

__all__ = [
    "UNKNOWN",
    "GraphStore",
    "Observation",
    "PassiveDnsGraph",
    "Snapshot",
    "SnapshotBuilder",
    "SourceFile",
    "UnusableLine",
    "UnusableSnapshot",
    "UnusedType",
    "UnwritableSnapshot",
    "parse_line",
    "publish",
]
