"""The sidecar alone: dnstap rows a second, memory of its cache, transfers of its zone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from inference_services.processes import HOST, free_ports
from load_tests.bench.usage import usage_of
from load_tests.bench_resolver.figures import Figure
from load_tests.bench_resolver.sidecar_process import TapSender, response, sidecar
from load_tests.waiting import poll
from resolver.dnstap import payload_of
from resolver.frame_streams import frame
from resolver.rpz.journal import Journal
from resolver.rpz.rules import NXDOMAIN, Rule
from resolver.wire_names import from_text

_NAMES: Final = 2_000
_ROUND: Final = 20_000
_FAR_S: Final = 4_000_000_000
_FILL: Final = """
import resource, sys
from resolver.score_cache import ScoreCache, Scored
from resolver.wire_names import from_text
count = int(sys.argv[1])
cache = ScoreCache(count, 3600.0)
for n in range(count):
    name = from_text(f"host{n}.some-longer-label.example{n % 997}.com")
    cache.put(name, Scored(n % 1000 / 1000, "allow", "benign"), 1e6)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def dnstap_rows(quick: bool) -> Iterator[Figure]:
    """Rows of known and unknown names, with passive DNS gathered; every row is accounted for."""
    rows = 100_000 if quick else 1_000_000
    frames = [
        frame(payload_of(response(f"host{number}.example{number % 97}.com"), 1_700_000_000))
        for number in range(_NAMES)
    ]
    chunk = b"".join(frames[number % _NAMES] for number in range(_ROUND))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nobody = f"{HOST}:{free_ports(1)[0]}"
        with sidecar(folder, nobody, passive_dns_dir=folder / "pdns") as process:
            tap = TapSender(process.tap_path)
            before_s, began_s = usage_of(process.process.pid).cpu_s, time.monotonic()
            for _ in range(rows // _ROUND):
                tap.send_raw(chunk)
            poll(lambda: process.metric('frames_total{outcome="read"}') >= rows, limit_s=120)
            took_s = time.monotonic() - began_s
            cpu_s = usage_of(process.process.pid).cpu_s - before_s
            read = process.metric('frames_total{outcome="read"}')
            tap.close()
    yield Figure("dnstap", "rows a second of processor time", rows / cpu_s, "rows/s")
    yield Figure("dnstap", "rows a second by the clock", rows / took_s, "rows/s")
    yield Figure("dnstap", f"rows lost of {rows:,}", rows - read, "rows")


def cache_memory(quick: bool) -> Iterator[Figure]:
    """What a process with so many remembered scores takes."""
    count = 100_000 if quick else 1_000_000
    # In a process of its own, whose memory is nobody else's.
    command = [sys.executable, "-c", _FILL, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this interpreter
    yield Figure("cache", f"memory of {count:,} names", float(done.stdout) / 1024, "MiB")


def rpz_transfer(quick: bool) -> Iterator[Figure]:
    """AXFR of a large zone, and the longest that a datagram waits meanwhile."""
    count = 10_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "state").mkdir()
        journal = Journal(folder / "state")
        zone = journal.load(10 * count)
        for number in range(count):
            zone.put(Rule(from_text(f"n{number}.bench.com"), NXDOMAIN), _FAR_S)
        journal.append(zone.commit())
        with sidecar(folder, f"{HOST}:{free_ports(1)[0]}", mode="block", max_blocked=10 * count) as process:
            began_s = time.monotonic()
            # Beside the names: SOA, NS, SOA.
            octets = process.transferred(count + 3)
            took_s = time.monotonic() - began_s
    yield Figure("zone", f"AXFR of {count:,} names", took_s, "s")
    yield Figure("zone", "its size", octets / (1 << 20), "MiB")
