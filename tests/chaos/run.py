"""Bring up each system once, inject its faults under one stream of traffic, count what callers saw."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.chaos import clock_faults
from tests.chaos.catalogue import SHAPES, Fault
from tests.chaos.models import shifted
from tests.chaos.outcomes import read_outcomes
from tests.chaos.promises import Counts
from tests.chaos.scene import Scene, Truth, fill, names, write_more_records
from tests.chaos.stand_in_faults import start_stand_ins
from tests.chaos.standby import Standbys
from tests.chaos.store_faults import DISK_BYTES
from tests.chaos.system import Shape, System, ask_alone, traffic
from tests.services import SAMPLE, transformer
from tests.small_disk import small_disk

# Requests before and after a fault show that all was well and is again.
CALM_S = 0.3
WARM = 3
STAND_INS = {"slow-predictor", "garbage-predictor", "other-schema"}


@dataclasses.dataclass(frozen=True)
class Options:
    """How often, how long a process is frozen, and requests a second over each protocol."""

    times: int = 20
    frozen_s: float = 5.0
    rate: float = 60.0


def inject_all(
    faults: Sequence[Fault], options: Options, folder: Path, show: Callable[[str], None] = lambda _line: None
) -> list[Counts]:
    """Every fault, those of one shape on one system; says what it does."""
    counts = [Counts(fault.what, fault.promise, skipped=missing(fault)) for fault in faults]
    todo = [(fault, count) for fault, count in zip(faults, counts, strict=True) if not count.skipped]
    with ExitStack() as stack:
        standbys = Standbys(folder, WARM)
        stack.callback(standbys.stop)
        for name in dict.fromkeys(fault.shape for fault, _ in todo):
            mine = [(fault, count) for fault, count in todo if fault.shape == name]
            show(f"{name}: starting services …")
            with _scene(name, mine, options, folder / name, standbys) as scene:
                _inject(scene, mine, options, show)
    return counts


def missing(fault: Fault) -> str:
    """Why a fault cannot be injected on this machine, "" where it can."""
    if SHAPES[fault.shape].proxied and not shutil.which("nginx"):
        return "needs nginx on the PATH (Debian: apt install nginx)"
    if fault.shape == "clock" and not clock_faults.library():
        return "needs libfaketime (Debian: apt install faketime)"
    return ""


def _inject(
    scene: Scene, todo: Sequence[tuple[Fault, Counts]], options: Options, show: Callable[[str], None]
) -> None:
    windows: list[tuple[Counts, float, float]] = []
    with traffic(scene.system, names(), options.rate) as record:
        for fault, count in todo:
            for turn in range(options.times):
                show(f"{fault.name} {turn + 1}/{options.times}")
                began_s = time.monotonic()
                _once(scene, fault, count)
                time.sleep(CALM_S)
                windows.append((count, began_s, time.monotonic()))
    outcomes = read_outcomes(record.read_text().splitlines(keepends=True))
    for count, began_s, ended_s in windows:
        count.count((one for one in outcomes if began_s <= one.asked_s < ended_s), scene.worlds)


def _once(scene: Scene, fault: Fault, count: Counts) -> None:
    time.sleep(CALM_S)
    before = {process.process.pid for process in scene.system.transformers}
    try:
        fault.inject(scene)
    except (AssertionError, OSError, subprocess.SubprocessError) as problem:
        count.failures.append(f"{type(problem).__name__}: {problem}")
    count.times += 1
    count.recovery_s = max(count.recovery_s, scene.system.recovery_s(scene.world))
    for process in scene.system.processes():
        if process.process.poll() is not None:
            count.failures.append(f"a service ended with status {process.process.returncode}")
    # Recovery is without a restart of who was not harmed.
    if "transformer" not in fault.name and before != {p.process.pid for p in scene.system.transformers}:
        count.failures.append("a transformer was restarted")


@contextmanager
def _scene(
    name: str, todo: Sequence[tuple[Fault, Counts]], options: Options, folder: Path, standbys: Standbys
) -> Iterator[Scene]:
    """A system under no load yet, with the answers that are right."""
    folder.mkdir()
    with ExitStack() as stack:
        if stack.enter_context(small_disk(folder / "store", DISK_BYTES)):
            (folder / "store" / "MOUNTED").touch()
        fill(folder / "store", [SAMPLE])
        clock = folder / "clock" if name == "clock" else None
        shape = SHAPES[name]
        if clock:
            shape = dataclasses.replace(shape, variables=clock_faults.variables(clock))
        stand_ins = start_stand_ins(folder) if _wants_stand_ins(todo) else {}
        for process in stand_ins.values():
            stack.callback(process.stop)
        system = System(shape, folder, folder / "store", standbys, stack)
        system.wait_until_up()
        truths = [Truth("now", *ask_alone(system.rest_port, names()))]
        wanted = {fault.name for fault, _ in todo}
        if wanted & {"swap-snapshot", "full-disk"}:
            truths.append(_of_more_records(system, folder))
        if "swap-model" in wanted:
            truths.append(_of_shifted_model(system, folder, standbys))
        yield Scene(system, folder, truths, options.frozen_s, stand_ins, clock)


def _wants_stand_ins(todo: Sequence[tuple[Fault, Counts]]) -> bool:
    return any(fault.name in STAND_INS for fault, _ in todo)


def _of_more_records(system: System, folder: Path) -> Truth:
    """What the same model says with further records, by a transformer beside."""
    sources = [SAMPLE, write_more_records(folder / "more.jsonl")]
    fill(folder / "more-store", sources)
    with transformer(system.predictor_port, folder / "more-store") as beside:
        return Truth("more records", *ask_alone(beside.rest_port, names()), sources)


def _of_shifted_model(system: System, folder: Path, standbys: Standbys) -> Truth:
    """What another version says of the same names, by services beside."""
    model_dir = shifted(folder / "shifted")
    with ExitStack() as stack:
        beside = System(Shape(), folder / "beside", system.store, standbys, stack, model_dir)
        beside.wait_until_up()
        return Truth("shifted", *ask_alone(beside.rest_port, names()), model_dir=model_dir)
