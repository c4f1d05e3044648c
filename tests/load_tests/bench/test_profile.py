"""Stacks as py-spy writes them, sorted into kinds of work; and a real look into a busy process."""

from __future__ import annotations

import sys
from subprocess import PIPE, Popen

import pytest

from load_tests.bench.profile import NoProfile, ThreadTime, kind_of, profile, shares

MAIN = "thread (1): MainThread;main (predictor/__main__.py:28);run (asyncio/runners.py:86)"
ANSWER = f"{MAIN};ModelInfer (serving/grpc_front.py:37);_answer (serving/grpc_front.py:70)"
DEVICE = "thread (2): device_0;_worker (concurrent/futures/thread.py:69)"
LAUNCH = f"{DEVICE};run (concurrent/futures/thread.py:53);launch (predictor/scorer.py:76)"


@pytest.mark.parametrize(
    ("stack", "kind"),
    [
        (MAIN, "front and event loop"),
        (ANSWER, "front and event loop"),
        (
            f"{ANSWER};decode_message (serving/v2_message.py:43);admit (serving/tensor_contract.py:52)",
            "checks",
        ),
        (
            f"{ANSWER};decode_message (serving/v2_message.py:43);_decode_raw (serving/v2_message.py:60)",
            "decode",
        ),
        (
            f"{ANSWER};infer (predictor/server.py:36);validate (contract/graph_checks.py:27);diff (numpy/x.py:1)",
            "checks",
        ),
        (f"{ANSWER};infer (predictor/server.py:36);submit (predictor/batcher.py:109)", "queue"),
        (f"{ANSWER};fill_response (serving/v2_message.py:90)", "encode"),
        (f"{LAUNCH};union (contract/graphs.py:96);concatenate (numpy/core/multiarray.py:153)", "join"),
        (
            f"{LAUNCH};scores (predictor/model.py:215);forward (torch/nn/modules/linear.py:130)",
            "model",
        ),
        ("thread (9): x;f (elsewhere.py:1)", "other"),
    ],
)
def test_a_stack_is_what_its_innermost_known_frame_does(stack: str, kind: str) -> None:
    """Frames of numpy and the like count for whoever called them."""
    assert kind_of(stack) == kind


def test_threads_count_by_the_time_they_ran() -> None:
    """A thread that ran three times as long weighs three times as much, however often both were seen."""
    times = {1: ThreadTime(0.5, 0.5), 2: ThreadTime(1.5, 0.5)}
    lines = [f"{ANSWER};fill_response (serving/v2_message.py:90) 50", f"{LAUNCH};f (torch/nn.py:1) 50"]
    assert shares(lines, times, 2.0) == {"model": 75.0, "encode": 25.0}


def test_waiting_is_no_work() -> None:
    """A thread that the kernel saw run for half of the time did not work in half of its samples of waiting."""
    times = {1: ThreadTime(1.0, 0.0)}
    lines = [f"{MAIN} 80", f"{ANSWER};fill_response (serving/v2_message.py:90) 20"]
    # 100 samples, 50 of them blocked: 30 of the loop's own remain beside 20 of encoding.
    assert shares(lines, times, 2.0) == {"front and event loop": 60.0, "encode": 40.0}


def test_threads_without_python_are_the_fronts() -> None:
    """GRPC's own threads show no stack; their time is counted all the same."""
    times = {1: ThreadTime(1.0, 0.0), 7: ThreadTime(3.0, 0.0)}
    assert shares([f"{LAUNCH.replace('(2)', '(1)')};f (torch/nn.py:1) 9"], times, 1.0) == {
        "front and event loop": 75.0,
        "model": 25.0,
    }


async def test_a_busy_process_is_seen() -> None:
    """py-spy works here: a process that only computes is of no known kind."""
    code = "print('on', flush=True)\nx = 0\nwhile True: x += 1"
    with Popen([sys.executable, "-c", code], stdout=PIPE) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        process.stdout.readline()
        try:
            seen = await profile(process.pid, 1.0)
        except NoProfile as reason:
            pytest.skip(f"not allowed to look into processes here: {reason}")
        finally:
            process.kill()
    assert seen["other"] > 90


async def test_a_process_that_is_gone_has_no_profile() -> None:
    """Nothing to see is said as such."""
    with Popen([sys.executable, "-c", ""]) as process:  # noqa: ASYNC220
        process.wait()
    with pytest.raises(NoProfile):
        await profile(process.pid, 1.0)
