"""Resolvers with and without us: queries a second, processor time a query, and seconds to a block."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from inference_services.local import LocalSettings, running
from inference_services.processes import HOST, free_ports
from load_tests.bench.usage import usage_of
from load_tests.bench_resolver.configurations import ALONE, PLUGIN, TAP
from load_tests.bench_resolver.figures import Figure
from load_tests.bench_resolver.resolvers import PROGRAMS, Resolver, authority, missing, resolver
from load_tests.bench_resolver.sidecar_process import SidecarProcess, sidecar
from load_tests.waiting import poll

_RATE: Final = re.compile(r"Queries per second:\s+([\d.]+)")
_COMPLETED: Final = re.compile(r"Queries completed:\s+(\d+)")
_CLIENTS: Final = 20
_BLOCK_LIMIT_S: Final = 15.0


def with_and_without(quick: bool) -> Iterator[Figure]:
    """Every resolver that is installed: dnsperf against it alone, then with everything switched on."""
    if shutil.which("dnsperf") is None:
        return
    seconds = 1 if quick else 5
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(authority(folder / "nsd"))
        beside = stack.enter_context(_scoring_sidecar(folder, "[]"))
        places = (upstream, beside.tap_path, beside.rpz_port, beside.datagram_port)
        for kind in PROGRAMS:
            if missing(kind):
                continue
            for load in ("hits", "misses"):
                yield from _compared(kind, folder / f"{kind}-{load}", places, load, seconds)


def _compared(
    kind: str, folder: Path, places: tuple[int, Path, int, int], load: str, seconds: int
) -> Iterator[Figure]:
    levels = (ALONE, TAP) if kind == "bind" else (ALONE, TAP, PLUGIN)
    measured = {}
    for joined in levels:
        with resolver(kind, Path(f"{folder}-{joined}"), *places, joined=joined) as process:
            measured[joined] = _dnsperf(process, folder, load, seconds)
    off, off_us = measured.pop(ALONE)
    yield Figure(kind, f"{load}: queries a second alone", off, "1/s")
    yield Figure(kind, f"{load}: processor time a query alone", off_us, "µs")
    for joined, (on, on_us) in measured.items():
        what = "dnstap and zone" if joined == TAP else "plugin as well"
        yield Figure(kind, f"{load}: {what} ÷ alone, queries", on / off, "ratio")
        yield Figure(kind, f"{load}: {what}, processor time a query", on_us, "µs")


def _dnsperf(process: Resolver, folder: Path, load: str, seconds: int) -> tuple[float, float]:
    """Queries a second, and microseconds of the resolver's processor time for each."""
    queries = folder.with_suffix(".queries")
    count = 200 if load == "hits" else 400_000
    # Each run has names of its own, which no cache knows yet.
    salt = f"{process.port}x{time.monotonic_ns() % 100_000}"
    queries.write_text("".join(f"n{number}.{salt}.example.com A\n" for number in range(count)))
    command = ["dnsperf", "-s", HOST, "-p", str(process.port), "-d", str(queries), "-c", str(_CLIENTS)]
    if load == "hits":
        subprocess.run([*command, "-n", "1"], check=True, capture_output=True)  # noqa: S603
    before_s = usage_of(process.process.pid).cpu_s
    run = subprocess.run([*command, "-l", str(seconds)], check=True, capture_output=True, text=True)  # noqa: S603
    cpu_s = usage_of(process.process.pid).cpu_s - before_s
    rate, completed = _RATE.search(run.stdout), _COMPLETED.search(run.stdout)
    if rate is None or completed is None:
        raise RuntimeError(f"dnsperf said nothing: {run.stdout}")
    return float(rate[1]), 1e6 * cpu_s / max(1, int(completed[1]))


def first_block(quick: bool) -> Iterator[Figure]:
    """From the first answer for a bad name until it does not exist, by zone or plugin."""
    turns = 1 if quick else 5
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(authority(folder / "nsd"))
        kinds = [kind for kind in PROGRAMS if not missing(kind)]
        ports = dict(zip(kinds, free_ports(len(kinds)), strict=True))
        notify = json.dumps([f"{HOST}:{ports[kind]}" for kind in ("unbound", "bind") if kind in ports])
        beside = stack.enter_context(_scoring_sidecar(folder, notify))
        places = (upstream, beside.tap_path, beside.rpz_port, beside.datagram_port)
        for kind in kinds:
            with resolver(kind, folder / kind, *places, port=ports[kind]) as process:
                times = sorted(
                    _until_blocked(process, f"paypal-login-{kind}{turn}.tk") for turn in range(turns)
                )
            yield Figure(kind, "first answer to block, median", times[len(times) // 2], "s")


def _until_blocked(process: Resolver, name: str) -> float:
    process.ask(name)
    return poll(lambda: process.rcode(name) == "NXDOMAIN", _BLOCK_LIMIT_S)


@contextmanager
def _scoring_sidecar(folder: Path, notify: str) -> Iterator[SidecarProcess]:
    """A sidecar that blocks, before the shipped model."""
    names = [name for name in LocalSettings.model_fields if name.endswith("_port")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    settings = LocalSettings(graph_store=folder / "graph-store", **ports)  # type: ignore[arg-type]
    with running(settings):
        target = f"{HOST}:{settings.transformer_grpc_port}"
        with sidecar(folder, target, mode="block", rpz_notify=notify) as process:
            yield process
