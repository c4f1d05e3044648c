"""The workers of a run as processes that start together."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Final

from load_tests.load.assignment import Assignment
from load_tests.load.outcomes import Outcomes, joined, load

_COMMAND: Final = (sys.executable, "-m", "load_tests.load.worker")
# Enough for every worker to read its last line and make its connections.
_START_IN_S: Final = 0.3
_PATIENCE_S: Final = 30.0

Progress = Callable[[int, int], None]
"""told how many requests have ended so far, and how many of them well"""


class WorkerFailed(Exception):
    """A worker ended without its outcomes; the message is what it said last."""


class Crew:
    """Workers that are ready to go."""

    def __init__(self, assignment: Assignment) -> None:
        """Start them and wait until each has made its plan.

        Raises:
            WorkerFailed: one of them cannot.
        """
        self._parts = [assignment.model_copy(update={"worker": n}) for n in range(assignment.workers)]
        self._workers = [_Worker(part) for part in self._parts]
        try:
            for worker in self._workers:
                worker.expect_ready()
        except BaseException:
            self.kill()
            raise

    def run(self, progress: Progress) -> tuple[Outcomes, bool]:
        """Go, to the end or until Ctrl-C; all outcomes, and whether it came to its end.

        Raises:
            WorkerFailed: a worker broke.
        """
        start_s = time.monotonic() + _START_IN_S
        for worker in self._workers:
            worker.tell(f"{start_s!r}\n")
        try:
            whole = self._watch(progress)
            for worker in self._workers:
                worker.expect_end()
        finally:
            self.kill()
        return joined([load(part.file) for part in self._parts]), whole

    def _watch(self, progress: Progress) -> bool:
        try:
            self._follow(progress)
        except KeyboardInterrupt:
            for worker in self._workers:
                worker.process.terminate()
            self._follow(progress)
            return False
        return True

    def _follow(self, progress: Progress) -> None:
        """Read progress until every worker has closed its output."""
        with selectors.DefaultSelector() as selector:
            for worker in self._workers:
                if not worker.output.closed:
                    selector.register(worker.output, selectors.EVENT_READ, worker)
            while selector.get_map():
                for key, _ in selector.select():
                    if not key.data.read_progress():
                        selector.unregister(key.fileobj)
                progress(sum(w.ended for w in self._workers), sum(w.good for w in self._workers))

    def kill(self) -> None:
        """End what is left of them."""
        for worker in self._workers:
            worker.kill()


class _Worker:
    def __init__(self, assignment: Assignment) -> None:
        # A session of its own: Ctrl-C is for the parent, which lets workers finish.
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter and this package
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip
        self.ended = self.good = 0
        self.tell(assignment.model_dump_json() + "\n")

    @property
    def output(self) -> IO[str]:
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        return self.process.stdout

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        # One that has died is told so by expect_ready or expect_end, with its reason.
        with suppress(BrokenPipeError):
            self.process.stdin.write(line)
            self.process.stdin.flush()

    def expect_ready(self) -> None:
        if self.output.readline() != "ready\n":
            raise WorkerFailed(self._last_words())

    def read_progress(self) -> bool:
        line = self.output.readline()
        if line.startswith("{"):
            told = json.loads(line)
            self.ended, self.good = told["ended"], told["good"]
        return bool(line)

    def expect_end(self) -> None:
        if self.process.wait(_PATIENCE_S) != 0:
            raise WorkerFailed(self._last_words())

    def _last_words(self) -> str:
        said = self.process.communicate()[1].strip().splitlines()
        return f"a load worker ended with {self.process.returncode}: {said[-1] if said else 'no message'}"

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        with suppress(OSError, ValueError):
            self.process.communicate()
