"""Send requests of every kind to a real transformer and predictor, and watch their memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.fuzz import corpus
from tests.chaos.fuzz.kinds import KINDS, Targets, send
from tests.chaos.memory import MIB, growth, rss_bytes
from tests.services import SAMPLE, SHIPPED_MODEL, import_passive_dns, predictor, transformer
from tests.transformer.score_requests import message

# Caches fill, allocators learn: only what comes after counts.
WARM_SHARE = 0.4
SAMPLES = 200
ROUNDS = 5


@dataclass
class Found:
    """What came of a run: requests that were answered wrongly, and growth after warm-up as a share."""

    requests: int = 0
    failures: list[str] = field(default_factory=list)
    growth: dict[str, float] = field(default_factory=dict)
    memory_mib: dict[str, float] = field(default_factory=dict)


@contextmanager
def targets(folder: Path) -> Iterator[Targets]:
    """A predictor behind a transformer, patient as their machine may be slow."""
    import_passive_dns(folder / "store", SAMPLE)
    patient = {"default_deadline_ms": 30_000, "torch_threads": 1, "log_level": "ERROR"}
    with predictor(SHIPPED_MODEL, **patient) as behind:
        del patient["torch_threads"]
        with transformer(behind.grpc_port, folder / "store", **patient) as front:
            ready = Targets(front, behind)
            try:
                yield ready
            finally:
                ready.close()


def fuzz(found_in: Targets, requests: int, show: Callable[[int], None] = lambda _sent: None) -> Found:
    """The corpus, then random requests in rounds of all kinds; `show` is told how many have been sent."""
    found = Found()
    samples: dict[str, list[tuple[float, float]]] = {"transformer": [], "predictor": []}
    every = max(1, requests // SAMPLES)

    def on_sent(sent: int) -> None:
        show(sent)
        if sent % every == 0 and sent > WARM_SHARE * requests:
            for name, process in (("transformer", found_in.transformer), ("predictor", found_in.predictor)):
                samples[name].append((sent, rss_bytes(process.process.pid)))

    assert _good_is_answered(found_in)
    found_in.on_sent = on_sent
    _send_corpus(found_in, found)
    for _ in range(ROUNDS):
        for kind, (_, _, share) in KINDS.items():
            _try(
                found,
                kind,
                lambda kind=kind, share=share: send(found_in, kind, int(requests * share / ROUNDS)),
            )
    found.requests = found_in.sent
    for name, points in samples.items():
        found.growth[name] = growth(points, span=points[-1][0] - points[0][0])
        found.memory_mib[name] = points[-1][1] / MIB
    if not _good_is_answered(found_in):
        found.failures.append("a good request is not answered any more")
    return found


def _good_is_answered(found_in: Targets) -> bool:
    return found_in.names.code_of(message([b"example.com"]).SerializeToString()) == "OK"


def _send_corpus(found_in: Targets, found: Found) -> None:
    for body in corpus.BODIES:
        _try(found, "JSON bodies", lambda body=body: KINDS["JSON bodies"][0](found_in, body))
    for raw in corpus.MESSAGES:
        _try(found, "messages", lambda raw=raw: KINDS["messages"][0](found_in, raw))
    for raw in corpus.HTTP:
        _try(found, "HTTP", lambda raw=raw: KINDS["HTTP"][0](found_in, raw))
    for name in corpus.NAMES:
        named = [(name, answer) for answer in corpus.ANSWERS]
        _try(found, "names", lambda named=named: KINDS["names"][0](found_in, named))


def _try(found: Found, kind: str, work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as problem:  # noqa: BLE001 - whatever it is, the other kinds are tried as well
        notes = " ".join(getattr(problem, "__notes__", []))
        found.failures.append(f"{kind}: {type(problem).__name__}: {problem} {notes}"[:2000])
