"""What the commands share: numbers that make sense, and an end that leaves no process behind."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Number = TypeVar("Number", int, float)

STOPPED = 130


def positive(kind: type[Number], least: Number) -> Callable[[str], Number]:
    """Reads a number that is no less."""

    def read(text: str) -> Number:
        number = kind(text)
        if not number >= least:
            raise argparse.ArgumentTypeError(f"expected at least {least}, got {text}")
        return number

    # argparse names it in its complaint about text that is no number.
    read.__name__ = kind.__name__
    return read


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP unwind the block, which ends what it started; then the command ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        raise SystemExit(STOPPED) from None
