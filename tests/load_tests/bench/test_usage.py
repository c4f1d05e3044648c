import os
import time

from load_tests.bench.usage import usage_of


def test_processor_time_and_memory_are_this_processes() -> None:
    """Work adds processor seconds, memory that was touched adds to the peak and stays in it."""
    before = usage_of(os.getpid())
    end_s = time.process_time() + 0.1
    ballast = b"x" * 50_000_000
    while time.process_time() < end_s:
        pass
    del ballast
    after = usage_of(os.getpid())
    assert after.cpu_s - before.cpu_s >= 0.08
    assert after.peak_mib >= before.peak_mib
    assert after.peak_mib > 48
