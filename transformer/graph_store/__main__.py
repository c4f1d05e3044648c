"""`python -m transformer.graph_store`: import passive DNS, look inside."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from transformer.domain_name import NotADomainName
from transformer.graph_store.builder import SnapshotBuilder
from transformer.graph_store.description import describe_node, describe_snapshot, find_node
from transformer.graph_store.importer import import_files
from transformer.graph_store.passive_dns_graph import UNKNOWN
from transformer.graph_store.progress import StageProgress
from transformer.graph_store.publishing import publish
from transformer.graph_store.refusals import UnusableSnapshot, UnwritableSnapshot
from transformer.graph_store.source_files import UnreadableFile, size_of
from transformer.graph_store.store import GraphStore

STORE_VARIABLE = "DNS_RISK_GRAPH_STORE"
PRIVATE_VARIABLE = "DNS_RISK_PRIVATE_ADDRESSES"


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status is 1 where it could not do what was asked."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        if options.command == "import":
            return _import(options.files, options.store, private=options.private_addresses)
        if options.command == "stats":
            return _print(describe_snapshot(GraphStore(options.store).snapshot.meta))
        return _show(options.store, options.node)
    except BrokenPipeError:
        # Whoever read, say `head`, has seen enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        sys.stderr.write("not enough memory for this graph: import fewer or newer files\n")
        return 1
    except (NotADomainName, UnreadableFile, UnusableSnapshot, UnwritableSnapshot, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m transformer.graph_store", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    importing = commands.add_parser(
        "import", help="build a snapshot from Passive DNS Common Output Format and make it current"
    )
    importing.add_argument("files", nargs="+", metavar="FILE", help="JSON lines, plain or gzip; - is stdin")
    importing.add_argument(
        "--private_addresses",
        action=argparse.BooleanOptionalAction,
        default=_is_on(PRIVATE_VARIABLE),
        help=f"whether private networks' addresses are evidence (${PRIVATE_VARIABLE}, else not)",
    )
    stats = commands.add_parser("stats", help="count nodes and edges of the current snapshot")
    show = commands.add_parser("show", help="list a node's neighbours")
    show.add_argument("node", metavar="DOMAIN", help="a domain, an address, or ns:NAME for a nameserver")
    default = Path(os.environ.get(STORE_VARIABLE, "graph-store"))
    for command in (importing, stats, show):
        command.add_argument(
            "--store", type=Path, default=default, help=f"directory (${STORE_VARIABLE}, else graph-store)"
        )
    return parser


def _is_on(variable: str) -> bool:
    """Whether a switch of the environment is on; words as the services' settings take them."""
    try:
        return TypeAdapter(bool).validate_python(os.environ.get(variable, "false"))
    except ValidationError:
        raise SystemExit(f"{variable}: expected true or false, got {os.environ[variable]!r}") from None


def _import(files: Sequence[str], store: Path, *, private: bool) -> int:
    builder, progress = SnapshotBuilder(private_addresses=private), StageProgress()
    read_bytes, total = 0, sum(map(size_of, files))

    def on_bytes(count: int) -> None:
        nonlocal read_bytes
        read_bytes += count
        progress("reading bytes", read_bytes, total)

    try:
        report = import_files(files, builder, on_bytes)
        progress.close()
        _print(report.summary())
        if not report.used:
            sys.stderr.write("no usable line: the graph store is unchanged\n")
            return 1
        if not builder.observation_count:
            sys.stderr.write("no record that names share: the graph store is unchanged\n")
            return 1
        meta = publish(store, builder, report.sources, progress)
    finally:
        progress.close()
    # Not what is current now: that may be another import's.
    return _print(describe_snapshot(meta))


def _show(store: Path, text: str) -> int:
    snapshot = GraphStore(store).snapshot
    node = find_node(snapshot, text)
    _print(describe_node(snapshot, node))
    return int(node == UNKNOWN)


def _print(lines: Iterable[str]) -> int:
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        # Names of files may be no text, and a terminal may not know all letters.
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
