"""Where a server's time goes: stacks that py-spy saw, sorted into a few kinds of work."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAMPLES_PER_SECOND: Final = 200

# The innermost frame that one of these names decides; among kinds the first, so special ones come first.
KINDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "join",
        (
            "union (contract/graphs",
            "host_tensors (",
            "joined (predictor/",
            "_joined_raw (",
            "_offsets (predictor/",
            "_edge_index (predictor/",
            "_floats (predictor/",
        ),
    ),
    (
        "model",
        (
            "torch/",
            "torch_geometric/",
            "predictor/model",
            "predictor/ngrams",
            "predictor/scorer",
            "predictor/fast_forward",
            "contract/ngrams",
            "contract/ragged",
        ),
    ),
    ("checks", ("contract/graph_checks", "serving/tensor_contract", "check_schema (")),
    (
        "decode",
        (
            "recognise (predictor/wire",
            "cut (predictor/raw_graphs",
            "written_as (predictor/raw_graphs",
            "decode",
            "FromString",
            "parse (serving/",
            "serving/rest_body",
            "serving/json_tensor",
            "serving/v2_json",
        ),
    ),
    (
        "encode",
        ("message (predictor/wire", "encode", "fill_response", "SerializeToString", "serving/rest_reply"),
    ),
    (
        "queue",
        (
            "predictor/batcher",
            "predictor/packing",
            "predictor/server",
            "predictor/wire",
            "concurrent/futures",
        ),
    ),
    ("metrics", ("prometheus_client/", "serving/metrics", "serving/request_metrics", "BatchMeter")),
    (
        "front and event loop",
        (
            "serving/",
            "grpc/",
            "asyncio/",
            "uvicorn/",
            "starlette/",
            "uvloop",
            "httptools",
            "hpack",
            "threading.py",
        ),
    ),
)
OTHER: Final = "other"
_STACK: Final = re.compile(r"(?P<stack>thread \((?P<thread>\d+)\).*) (?P<count>\d+)")
_FRONT: Final = KINDS[-1][0]
# Where threads wait for work; what they do there while busy is the event loop's own.
_WAITS: Final = ("run (asyncio/runners", "_worker (concurrent/futures", "run (threading")


class NoProfile(Exception):
    """py-spy could not look into the process; the message is what it said."""


def kind_of(stack: str) -> str:
    """The kind of work of a stack, outermost frame first, as py-spy writes it.

    >>> kind_of("run (asyncio/runners.py);infer (predictor/server.py);validate (contract/graph_checks.py)")
    'checks'
    >>> kind_of("run (asyncio/runners.py);start (serving/server.py)")
    'front and event loop'
    """
    for frame in reversed(stack.split(";")):
        for kind, marks in KINDS:
            if any(mark in frame for mark in marks):
                return kind
    return OTHER


@dataclass(frozen=True, slots=True)
class ThreadTime:
    """Seconds that a thread ran, and that it could have run but had no core."""

    ran_s: float
    queued_s: float

    def since(self, before: ThreadTime) -> ThreadTime:
        """The seconds after an earlier look."""
        return ThreadTime(self.ran_s - before.ran_s, self.queued_s - before.queued_s)


def shares(lines: Iterable[str], times: Mapping[int, ThreadTime], seconds: float) -> Mapping[str, float]:
    """Percent of the process's processor time by kind of work, largest first.

    py-spy sees where a thread is, not whether it runs. So each thread counts by the time that the kernel
    says it ran, and of its samples at a place of waiting only so many as it cannot have spent blocked.

    >>> times = {1: ThreadTime(1.0, 0.0), 2: ThreadTime(1.0, 0.0)}
    >>> wait = "thread (1): Main;run (asyncio/runners.py:1)"
    >>> shares([f"{wait} 60", "thread (1): Main;f (torch/nn.py:1) 40"], times, 2.0)
    {'front and event loop': 60.0, 'model': 40.0}
    >>> shares([f"{wait} 60", "thread (1): Main;a name torn", "apart 7"], times, 2.0)
    {'front and event loop': 100.0}
    """
    samples: dict[int, Counter[str]] = {thread: Counter() for thread in times}
    for thread, stack, count in _stacks(lines):
        # A thread that began or ended meanwhile has no time to share out.
        if thread in samples:
            samples[thread][stack] += count
    spent: defaultdict[str, float] = defaultdict(float)
    for thread, spell in times.items():
        for kind, share in _of_thread(samples[thread], spell, seconds).items():
            spent[kind] += share * spell.ran_s
    total = sum(spent.values())
    ordered = sorted(spent.items(), key=lambda item: -item[1])
    return {kind: 100 * value / total for kind, value in ordered}


def _stacks(lines: Iterable[str]) -> Iterator[tuple[int, str, int]]:
    """Thread, stack and number of samples of each whole line.

    A process read while it runs may show a frame's name after its memory has gone to another string, even
    to one of several lines; such a sample tells nothing.
    """
    for line in lines:
        if whole := _STACK.fullmatch(line.rstrip("\n")):
            yield int(whole["thread"]), whole["stack"], int(whole["count"])


def _of_thread(samples: Counter[str], spell: ThreadTime, seconds: float) -> Mapping[str, float]:
    """Shares of one thread, in sum 1; threads without Python are gRPC's own."""
    waits = sum(count for stack, count in samples.items() if _waits(stack))
    blocked = samples.total() * max(0.0, 1 - (spell.ran_s + spell.queued_s) / seconds)
    kept = max(0.0, 1 - blocked / waits) if waits else 0.0
    busy: defaultdict[str, float] = defaultdict(float)
    for stack, count in samples.items():
        busy[kind_of(stack)] += count * kept if _waits(stack) else count
    total = sum(busy.values())
    return {kind: count / total for kind, count in busy.items()} if total else {_FRONT: 1.0}


def _waits(stack: str) -> bool:
    return stack.rpartition(";")[2].startswith(_WAITS)


async def profile(process: int, seconds: float) -> Mapping[str, float]:
    """Percent of a process's processor time by kind of work, while somebody else loads it.

    Raises:
        NoProfile: not allowed to, or nothing to see.
    """
    before, began_s = thread_times(process), time.perf_counter()
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as file:
        complaint = await _record(process, seconds, file.name)
        times, took_s = thread_times(process), time.perf_counter() - began_s
        lines = file.readlines()
    if not lines:
        raise NoProfile(complaint or "py-spy saw nothing")
    return shares(
        lines,
        {thread: spell.since(before.get(thread, ThreadTime(0.0, 0.0))) for thread, spell in times.items()},
        took_s,
    )


def thread_times(process: int) -> dict[int, ThreadTime]:
    """What the kernel says of each thread of a process.

    Raises:
        NoProfile: the process has ended, or the kernel keeps no such times.
    """
    times = {}
    try:
        for folder in Path(f"/proc/{process}/task").iterdir():
            ran_ns, queued_ns, _ = (folder / "schedstat").read_text(encoding="ascii").split()
            times[int(folder.name)] = ThreadTime(int(ran_ns) / 1e9, int(queued_ns) / 1e9)
    except OSError as error:
        raise NoProfile(str(error)) from None
    return times


async def _record(process: int, seconds: float, file: str) -> str:
    """Let py-spy write its stacks; what it said is returned."""
    # Stopped at every sample, the process would always go on with the same thread, and be seen there.
    whom = ["record", "--pid", str(process), "--nonblocking", "--idle", "--threads"]
    how = ["--rate", str(SAMPLES_PER_SECOND), "--duration", str(max(1, round(seconds)))]
    where = ["--format", "raw", "--function", "--output", file]
    try:
        spy = await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / "py-spy", *whom, *how, *where, stdout=DEVNULL, stderr=PIPE
        )
    except OSError as error:
        return f"py-spy: {error}"
    _, complaint = await spy.communicate()
    return " ".join(complaint.decode(errors="replace").split())[:200]
