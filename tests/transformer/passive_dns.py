"""Small passive-DNS graphs for tests: a hand-made one and a random one."""

from pathlib import Path

import numpy as np

from transformer.graph_store import GraphStore, Observation, Snapshot, SnapshotBuilder, publish

# rrname, rrtype, rdata
RECORDS = (
    ("www.shop.example.com", "A", "11.0.2.1"),
    ("mail.example.com", "A", "11.0.2.1"),
    ("example.com", "A", "11.0.2.2"),
    ("example.com", "NS", "ns1.dns.example.net"),
    ("other.example.org", "NS", "ns1.dns.example.net"),
    ("cdn.example.com", "CNAME", "edge.example.org"),
    ("edge.example.org", "AAAA", "3ffe:b00::1"),
    ("paypal.com", "A", "11.0.2.9"),
    ("paypa1.net", "A", "11.0.2.1"),
)


def observation(
    rrname: str, rrtype: str, *rdata: str, first: int = 10, last: int = 20, count: int = 1
) -> Observation:
    return Observation(rrname, rrtype, rdata, first, last, count)


def build(directory: Path, records: list[Observation]) -> Snapshot:
    builder = SnapshotBuilder()
    for record in records:
        builder.add(record)
    publish(directory, builder)
    return GraphStore(directory).snapshot


def small_snapshot(directory: Path) -> Snapshot:
    return build(directory, [observation(*record) for record in RECORDS])


def name_at(number: int) -> str:
    """Names in groups of four under one registered domain; labels look alike in threes."""
    look, suffix = (("shop", "com"), ("sh0p", "net"), ("shoop", "org"))[number // 4 % 3]
    apex = f"{look}{number // 12}ly.{suffix}"
    return apex if number % 4 == 0 else f"host{number % 4}.{apex}"


def random_records(seed: int, names: int, records: int) -> list[Observation]:
    """Records whose addresses, nameservers and aliases are shared unevenly."""
    rng = np.random.default_rng(seed)
    rows = []
    for owner, kind, share in zip(
        rng.integers(0, names, records), rng.random(records), rng.random(records) ** 3, strict=True
    ):
        if kind < 0.6:
            rows.append(observation(name_at(owner), "A", f"11.0.2.{int(share * 30)}"))
        elif kind < 0.85:
            rows.append(observation(name_at(owner), "NS", f"ns{int(share * 10)}.example.net"))
        else:
            rows.append(observation(name_at(owner), "CNAME", name_at(int(share * names))))
    return rows
