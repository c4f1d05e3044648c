"""How quick the explainer service is: one request at a time, and eight in flight while its probe is asked."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from training.served import Explanations

IN_FLIGHT: Final = 8
LOAD_S: Final = 10.0
PROBE_EVERY_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class UnderLoad:
    """Explanations answered in a second, and the slowest hundredth of probes in milliseconds."""

    explanations_per_s: float
    probe_p99_ms: float


def p95_ms(explanations: Explanations, domains: Sequence[str], method: str) -> float:
    """The 95th percentile of the time that one explanation takes, alone."""
    ask = [lambda domain=domain: explanations.raw(domain, {"method": method}) for domain in domains]
    return 1000 * float(np.percentile([_seconds(each) for each in ask], 95))


def _seconds(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def under_load(explanations: Explanations, domains: Sequence[str], method: str) -> UnderLoad:
    """Eight callers ask for explanations as fast as they are answered."""
    end_s = time.perf_counter() + LOAD_S
    supply, lock = itertools.cycle(domains), threading.Lock()

    def caller(_number: int) -> int:
        answered = 0
        while time.perf_counter() < end_s:
            with lock:
                domain = next(supply)
            explanations.raw(domain, {"method": method})
            answered += 1
        return answered

    with ThreadPoolExecutor(IN_FLIGHT + 1) as callers:
        probes = callers.submit(_probed, explanations, end_s)
        began_s = time.perf_counter()
        answered = sum(callers.map(caller, range(IN_FLIGHT)))
        seconds = time.perf_counter() - began_s
    return UnderLoad(answered / seconds, 1000 * float(np.percentile(probes.result(), 99)))


def _probed(explanations: Explanations, end_s: float) -> list[float]:
    taken = []
    while time.perf_counter() < end_s:
        taken.append(_seconds(explanations.live))
        time.sleep(PROBE_EVERY_S)
    return taken


def answered_alike(explanations: Explanations, domain: str, method: str) -> bool:
    """Whether the same request twice is answered the same, to the byte, apart from the milliseconds."""
    return _without_clock(explanations.raw(domain, {"method": method})) == _without_clock(
        explanations.raw(domain, {"method": method})
    )


def _without_clock(body: bytes) -> bytes:
    for explanation in json.loads(body)["explanations"]:
        taken = json.dumps(explanation["cost"]["milliseconds"]).encode()
        body = body.replace(b'"milliseconds":' + taken, b"")
    return body
