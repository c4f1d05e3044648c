"""numpy's global random state, which Alibi draws from, lent to one explanation at a time.

Explanations run in threads that share the state. Each sets its seed when its turn begins, and puts the state
aside while it waits for scores, so that others go on meanwhile and none draws from another's sequence.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from contract.errors import DeadlineExceeded

# numpy's state is one for the process, so its lock is, too.
_STATE = threading.Lock()


@contextmanager
def random_turn(seed: int, wait_s: float) -> Iterator[None]:
    """Hold the state, seeded, for the length of a block.

    Raises:
        DeadlineExceeded: it did not become free in time.
    """
    if not _STATE.acquire(timeout=min(wait_s, threading.TIMEOUT_MAX)):
        raise DeadlineExceeded("the deadline passed before the explanation began")
    try:
        np.random.seed(seed)  # noqa: NPY002 - the state that Alibi draws from
        yield
    finally:
        _STATE.release()


@contextmanager
def others_turn() -> Iterator[None]:
    """Let others hold the state for the length of a block within a `random_turn`."""
    state = np.random.get_state()  # noqa: NPY002 - as above
    _STATE.release()
    try:
        yield
    finally:
        _STATE.acquire()
        np.random.set_state(state)  # noqa: NPY002 - as above
